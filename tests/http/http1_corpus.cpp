#include "http/http1_corpus.hpp"

#include <vector>

namespace equinox::http::test {
namespace {

using namespace std::string_literals;

class Corpus {
 public:
  std::vector<WireCase> cases;

  void wire(std::string name, std::string section, std::string bytes, std::optional<Errc> refusal = {}) {
    cases.push_back({std::move(name), std::move(section), std::move(bytes), refusal});
  }
  /// A request line with a good Host behind it.
  void line(std::string name, std::string section, std::string_view text, std::optional<Errc> refusal = {}) {
    wire(std::move(name), std::move(section), std::string{text} + "\r\nHost: a.example\r\n\r\n", refusal);
  }
  /// A POST with a good Host, these fields and this behind the head.
  void post(std::string name, std::string section, std::string_view fields, std::string_view body,
            std::optional<Errc> refusal = {}) {
    wire(std::move(name), std::move(section),
         "POST /p HTTP/1.1\r\nHost: a.example\r\n" + std::string{fields} + "\r\n" + std::string{body}, refusal);
  }
  /// A GET with these fields instead of Host.
  void get(std::string name, std::string section, std::string_view fields, std::optional<Errc> refusal = {}) {
    wire(std::move(name), std::move(section), "GET / HTTP/1.1\r\n" + std::string{fields} + "\r\n", refusal);
  }
  void chunked(std::string name, std::string section, std::string_view body, std::optional<Errc> refusal = {}) {
    post(std::move(name), std::move(section), "Transfer-Encoding: chunked\r\n", body, refusal);
  }
};

void request_lines(Corpus& c) {
  c.line("Origin", "3.2.1", "GET / HTTP/1.1");
  c.line("Query", "3.2.1", "GET /a/b?x=1&y=%20 HTTP/1.1");
  c.line("QueryHoldsQuestionMark", "3.2.1", "GET /a?b?c HTTP/1.1");
  c.line("Absolute", "3.2.2", "GET http://b.example/x HTTP/1.1");
  c.line("AbsoluteWithPort", "3.2.2", "GET http://b.example:8080/x?y HTTP/1.1");
  c.line("AbsoluteHttps", "3.2.2", "GET HTTPS://b.example/ HTTP/1.1");
  c.line("AbsoluteWithoutPath", "3.2.2", "GET http://b.example HTTP/1.1");
  c.line("AbsoluteQueryOnly", "3.2.2", "GET http://b.example?q HTTP/1.1");
  c.line("AbsoluteIpv6", "3.2.2", "GET http://[2001:db8::1]:80/ HTTP/1.1");
  c.line("AbsoluteWithUserinfo", "9110 4.2.4", "GET http://u:p@b.example/ HTTP/1.1", Errc::bad_target);
  c.line("AbsoluteOfAnotherScheme", "3.2.2", "GET ftp://b.example/ HTTP/1.1", Errc::bad_target);
  c.line("AbsoluteWithoutHost", "3.2.2", "GET http:///x HTTP/1.1", Errc::bad_target);
  c.line("Asterisk", "3.2.4", "OPTIONS * HTTP/1.1");
  c.line("AsteriskWithGet", "3.2.4", "GET * HTTP/1.1", Errc::bad_target);
  c.line("AsteriskWithMSearch", "3.2.4", "M-SEARCH * HTTP/1.1", Errc::bad_target);
  c.line("Authority", "3.2.3", "CONNECT b.example:443 HTTP/1.1");
  c.line("AuthorityWithoutPort", "3.2.3", "CONNECT b.example HTTP/1.1", Errc::bad_target);
  c.line("AuthorityWithGet", "3.2.3", "GET b.example:443 HTTP/1.1", Errc::bad_target);
  c.line("Fragment", "3.2", "GET /a#b HTTP/1.1", Errc::bad_target);
  c.line("AngleBracket", "3.2", "GET /<a> HTTP/1.1", Errc::bad_target);
  c.line("Quote", "3.2", "GET /\"a\" HTTP/1.1", Errc::bad_target);
  c.line("BackslashInPath", "3.2", "GET /a\\b HTTP/1.1", Errc::bad_target);
  c.line("HighOctet", "3.2", "GET /\xc3\xa4 HTTP/1.1", Errc::bad_target);
  c.line("TabInTarget", "3.2", "GET /a\tb HTTP/1.1", Errc::bad_target);
  c.line("BrokenPercent", "3.2", "GET /%zz HTTP/1.1", Errc::bad_target);
  c.line("CutPercent", "3.2", "GET /a%2 HTTP/1.1", Errc::bad_target);
  c.line("EncodedNul", "3.2", "GET /a%00b HTTP/1.1", Errc::bad_target);
  c.line("ClimbsAboveRoot", "3986 5.2.4", "GET /../etc/passwd HTTP/1.1", Errc::bad_target);
  c.line("ClimbsAboveRootEncoded", "3986 5.2.4", "GET /%2e%2e/etc/passwd HTTP/1.1", Errc::bad_target);
  c.line("DotSegments", "3986 5.2.4", "GET /a/./b/../c HTTP/1.1");
  c.line("EncodedSlash", "3986 2.2", "GET /a%2fb HTTP/1.1");
  c.line("RelativePath", "3.2.1", "GET a HTTP/1.1", Errc::bad_target);
  c.line("TwoSpacesBeforeTarget", "3", "GET  / HTTP/1.1", Errc::bad_request_line);
  c.line("TwoSpacesBeforeVersion", "3", "GET /  HTTP/1.1", Errc::bad_request_line);
  c.line("SpaceInTarget", "3.2", "GET /a b HTTP/1.1", Errc::bad_request_line);
  c.line("SpaceBehindVersion", "3", "GET / HTTP/1.1 ", Errc::bad_request_line);
  c.line("SpaceBeforeMethod", "3", " GET / HTTP/1.1", Errc::bad_request_line);
  c.line("TabBetween", "3", "GET\t/\tHTTP/1.1", Errc::bad_request_line);
  c.line("NoVersion", "2.3", "GET /", Errc::bad_request_line);
  c.line("NoTarget", "3", "GET HTTP/1.1", Errc::bad_request_line);
  c.line("OnlyMethod", "3", "GET", Errc::bad_request_line);
  c.line("Version09", "2.3", "GET / HTTP/0.9", Errc::version_unsupported);
  c.line("Version12", "2.3", "GET / HTTP/1.2", Errc::version_unsupported);
  c.line("Version20", "2.3", "GET / HTTP/2.0", Errc::version_unsupported);
  c.line("Version30", "2.3", "GET / HTTP/3.0", Errc::version_unsupported);
  c.line("Rtsp", "2.3", "GET / RTSP/1.0", Errc::version_unsupported);
  c.line("Ice", "2.3", "SOURCE / ICE/1.0", Errc::version_unsupported);
  c.line("LowerCaseVersion", "2.3", "GET / http/1.1", Errc::bad_request_line);
  c.line("VersionWithoutMinor", "2.3", "GET / HTTP/1", Errc::bad_request_line);
  c.line("VersionTooLong", "2.3", "GET / HTTP/1.10", Errc::bad_request_line);
  c.line("VersionWithComma", "2.3", "GET / HTTP/1,1", Errc::bad_request_line);
  c.line("UnknownMethod", "3.1", "BREW /pot HTTP/1.1", Errc::method_unknown);
  c.line("LowerCaseMethod", "3.1", "get / HTTP/1.1", Errc::method_unknown);
  c.line("MixedCaseMethod", "3.1", "Get / HTTP/1.1", Errc::method_unknown);
  c.line("MethodOfRtsp", "3.1", "DESCRIBE / HTTP/1.1", Errc::method_unknown);
  c.line("MethodOfIce", "3.1", "SOURCE / HTTP/1.1");
  c.line("MethodWithColon", "3.1", "GE:T / HTTP/1.1", Errc::bad_request_line);
  c.line("MethodWithSlash", "3.1", "GET/ / HTTP/1.1", Errc::bad_request_line);
  c.line("MethodTooLong", "3.1", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1",
         Errc::bad_request_line);
  c.line("PrefaceOfHttp2", "9113 3.4", "PRI * HTTP/2.0", Errc::version_unsupported);
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PURGE",
                             "MKCOL", "REPORT", "LOCK", "SUBSCRIBE", "LINK"}) {
    c.line(std::string{"Method"} + method, "9110 9", std::string{method} + " /m HTTP/1.1");
  }
  c.line("LongestTarget", "3", "GET /" + std::string(8 * 1024 - 1, 'a') + " HTTP/1.1");
  c.line("TargetTooLong", "3", "GET /" + std::string(8 * 1024, 'a') + " HTTP/1.1", Errc::target_too_long);
}

void line_ends(Corpus& c) {
  const std::string good = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  c.wire("EmptyLineFirst", "2.2", "\r\n" + good);
  c.wire("TwoEmptyLinesFirst", "2.2", "\r\n\r\n" + good, Errc::bad_request_line);
  c.wire("LfFirst", "2.2", "\n" + good, Errc::bad_request_line);
  c.wire("CrFirst", "2.2", "\r" + good, Errc::bad_request_line);
  c.wire("LfAfterRequestLine", "2.2", "GET / HTTP/1.1\nHost: a\r\n\r\n", Errc::bad_request_line);
  c.wire("LfAfterField", "2.2", "GET / HTTP/1.1\r\nHost: a\n\r\n", Errc::bad_field);
  c.wire("LfAfterLastField", "2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n", Errc::bad_field);
  c.wire("CrInRequestLine", "2.2", "GET / HTTP/1.1\r \r\nHost: a\r\n\r\n", Errc::bad_request_line);
  c.wire("CrInValue", "2.2", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", Errc::bad_field);
  c.wire("CrBeforeCrLf", "2.2", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n", Errc::bad_field);
  c.wire("CrHidesLength", "2.2", "GET / HTTP/1.1\r\nHost: a\r\nX:\rContent-Length: 3\r\n\r\n", Errc::bad_field);
  c.wire("CrAndJunkAsEnd", "2.2", "GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n", Errc::bad_field);
  c.wire("NulInValue", "9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s, Errc::bad_field);
  c.wire("NulInName", "9110 5.1", "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"s, Errc::bad_field);
  c.wire("ControlInValue", "9110 5.5",
         "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01"
         "b\r\n\r\n",
         Errc::bad_field);
  c.wire("DeleteInValue", "9110 5.5", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7f\r\n\r\n", Errc::bad_field);
  c.wire("Pipelined", "9.3.2", good + good + good);
  c.wire("PipelinedWithEmptyLine", "2.2", good + "\r\n" + good);
  c.wire("BadBehindGood", "9.3.2", good + "GET  / HTTP/1.1\r\n\r\n", Errc::bad_request_line);
  c.wire("PrefaceBehindGood", "9113 3.4", good + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Errc::version_unsupported);
}

void fields(Corpus& c) {
  c.get("ValueWithoutSpace", "5.1", "Host:a\r\nX:b\r\n");
  c.get("ValueInWhiteSpace", "5.1", "Host: \t a \t \r\nX:  b  \r\n");
  c.get("EmptyValue", "5.1", "Host: a\r\nX:\r\n");
  c.get("EmptyValueWithSpace", "5.1", "Host: a\r\nX:   \r\n");
  c.get("ObsText", "9110 5.5", "Host: a\r\nX: \xe4\xf6\r\n");
  c.get("TabInValue", "9110 5.5", "Host: a\r\nX: a\tb\r\n");
  c.get("AllTokenOctets", "9110 5.6.2", "Host: a\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n");
  c.get("SpaceBeforeColon", "5.1", "Host: a\r\nX : b\r\n", Errc::bad_field);
  c.get("TabBeforeColon", "5.1", "Host: a\r\nX\t: b\r\n", Errc::bad_field);
  c.get("SpaceInName", "5.1", "Host: a\r\nX Y: b\r\n", Errc::bad_field);
  c.get("NoColon", "5.1", "Host: a\r\nXYZ\r\n", Errc::bad_field);
  c.get("EmptyName", "5.1", "Host: a\r\n: v\r\n", Errc::bad_field);
  c.get("HighOctetInName", "5.1", "Host: a\r\nX\xc3: v\r\n", Errc::bad_field);
  c.get("NameWithParenthesis", "5.1", "Host: a\r\nX(y): v\r\n", Errc::bad_field);
  c.get("FoldedWithSpace", "5.2", "Host: a\r\nX: a\r\n b\r\n", Errc::bad_field);
  c.get("FoldedWithTab", "5.2", "Host: a\r\nX: a\r\n\tb\r\n", Errc::bad_field);
  c.get("FoldedFirstLine", "2.2", " X: a\r\nHost: a\r\n", Errc::bad_field);
  c.get("FoldedCoding", "5.2", "Host: a\r\nTransfer-Encoding:\r\n chunked\r\n", Errc::bad_field);
  c.get("FoldedLength", "5.2", "Host: a\r\nContent-Length:\r\n 3\r\n", Errc::bad_field);
  c.get("HundredFields", "5.4", [] {
    std::string text = "Host: a\r\n";
    for (int i = 1; i < 100; ++i) text += "X" + std::to_string(i) + ": v\r\n";
    return text;
  }());
  c.get(
      "OneFieldTooMany", "6585 5",
      [] {
        std::string text = "Host: a\r\n";
        for (int i = 0; i < 100; ++i) text += "X: v\r\n";
        return text;
      }(),
      Errc::head_too_large);
  c.get("LongValue", "5.4", "Host: a\r\nX: " + std::string(60 * 1024, 'x') + "\r\n");
  c.get("HeadTooLarge", "6585 5", "Host: a\r\nX: " + std::string(64 * 1024, 'x') + "\r\n", Errc::head_too_large);
}

void hosts(Corpus& c) {
  c.get("HostName", "3.2", "Host: www.example.com\r\n");
  c.get("HostWithPort", "3.2", "Host: a.example:8080\r\n");
  c.get("HostWithEmptyPort", "3986 3.2.3", "Host: a.example:\r\n");
  c.get("HostIpv4", "3.2", "Host: 192.0.2.1\r\n");
  c.get("HostIpv6", "3.2", "Host: [::1]:8080\r\n");
  c.get("HostLowerCaseName", "9110 5.1", "hOsT: a\r\n");
  c.get("HostWithUnderscore", "3.2", "Host: a_b.example\r\n");
  c.get("NoHost", "3.2", "X: a\r\n", Errc::bad_host);
  c.get("TwoHosts", "3.2", "Host: a\r\nHost: b\r\n", Errc::bad_host);
  c.get("TwoEqualHosts", "3.2", "Host: a\r\nHost: a\r\n", Errc::bad_host);
  c.get("EmptyHost", "3.2", "Host:\r\n", Errc::bad_host);
  c.get("HostWithSlash", "3.2", "Host: a/b\r\n", Errc::bad_host);
  c.get("HostWithUserinfo", "3.2", "Host: u@a\r\n", Errc::bad_host);
  c.get("HostWithSpace", "3.2", "Host: a b\r\n", Errc::bad_host);
  c.get("HostList", "3.2", "Host: a, b\r\n", Errc::bad_host);
  c.get("HostWithBadPort", "3.2", "Host: a:b\r\n", Errc::bad_host);
  c.get("HostWithHugePort", "3.2", "Host: a:65536\r\n", Errc::bad_host);
  c.get("HostOpenBracket", "3.2", "Host: [::1\r\n", Errc::bad_host);
  c.get("HostBadIpv6", "3.2", "Host: [::g]\r\n", Errc::bad_host);
  c.get("HostPortOnly", "3.2", "Host: :80\r\n", Errc::bad_host);
  c.wire("Http10WithoutHost", "3.2", "GET / HTTP/1.0\r\n\r\n");
  c.wire("Http10TwoHosts", "3.2", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Errc::bad_host);
  c.wire("AbsoluteStillNeedsHost", "3.2", "GET http://a/ HTTP/1.1\r\n\r\n", Errc::bad_host);
}

void framing(Corpus& c) {
  c.post("Length", "6.2", "Content-Length: 3\r\n", "abc");
  c.post("LengthZero", "6.2", "Content-Length: 0\r\n", "");
  c.post("LengthWithZeros", "9110 8.6", "Content-Length: 0003\r\n", "abc");
  c.post("NoLength", "6.3", "", "");
  c.post("BodyThenRequest", "6.3", "Content-Length: 3\r\n", "abcGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  c.wire("GetWithBody", "9110 9.3.1", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  c.post("LengthAndChunked", "6.3", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n",
         Errc::conflicting_framing);
  c.post("ChunkedAndLength", "6.3", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n",
         Errc::conflicting_framing);
  c.post("TwoLengths", "6.3", "Content-Length: 3\r\nContent-Length: 4\r\n", "abc", Errc::conflicting_framing);
  c.post("TwoEqualLengths", "6.3", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc", Errc::conflicting_framing);
  c.post("LengthList", "9110 8.6", "Content-Length: 3, 3\r\n", "abc", Errc::conflicting_framing);
  c.post("LengthPlus", "9110 8.6", "Content-Length: +3\r\n", "abc", Errc::conflicting_framing);
  c.post("LengthMinus", "9110 8.6", "Content-Length: -3\r\n", "abc", Errc::conflicting_framing);
  c.post("LengthHex", "9110 8.6", "Content-Length: 0x3\r\n", "abc", Errc::conflicting_framing);
  c.post("LengthSpaced", "9110 8.6", "Content-Length: 1 2\r\n", "abc", Errc::conflicting_framing);
  c.post("LengthEmpty", "9110 8.6", "Content-Length:\r\n", "", Errc::conflicting_framing);
  c.post("LengthOverflow", "9110 8.6", "Content-Length: 18446744073709551616\r\n", "", Errc::conflicting_framing);
  c.post("CodingUnknown", "6.1", "Transfer-Encoding: gzip\r\n", "", Errc::transfer_coding_unknown);
  c.post("CodingListed", "6.1", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", Errc::transfer_coding_unknown);
  c.post("CodingTwice", "6.1", "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n", Errc::transfer_coding_unknown);
  c.post("CodingBehindComma", "6.1", "Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n", Errc::transfer_coding_unknown);
  c.post("CodingWithComma", "6.1", "Transfer-Encoding: chunked,\r\n", "0\r\n\r\n", Errc::transfer_coding_unknown);
  c.post("CodingThenIdentity", "6.1", "Transfer-Encoding: chunked, identity\r\n", "", Errc::transfer_coding_unknown);
  c.post("CodingIdentity", "6.1", "Transfer-Encoding: identity\r\n", "", Errc::transfer_coding_unknown);
  c.post("CodingPrefixed", "6.1", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", Errc::transfer_coding_unknown);
  c.post("CodingQuoted", "6.1", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n", Errc::transfer_coding_unknown);
  c.post("CodingWithParameter", "6.1", "Transfer-Encoding: chunked;q=1\r\n", "", Errc::transfer_coding_unknown);
  c.post("CodingEmpty", "6.1", "Transfer-Encoding:\r\n", "", Errc::conflicting_framing);
  c.post("TwoCodings", "6.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n",
         Errc::transfer_coding_unknown);
  c.post("CodingInTabs", "9110 5.6.3", "Transfer-Encoding:\tchunked\t\r\n", "3\r\nabc\r\n0\r\n\r\n");
  c.post("CodingCutByTab", "9110 5.6.3", "Transfer-Encoding: chun\tked\r\n", "", Errc::transfer_coding_unknown);
  c.post("CodingUpperCase", "7", "Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n");
  c.wire("CodingInHttp10", "6.1", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         Errc::conflicting_framing);
}

void chunks(Corpus& c) {
  c.chunked("Chunks", "7.1", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  c.chunked("ChunkNone", "7.1", "0\r\n\r\n");
  c.chunked("ChunkHex", "7.1", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n");
  c.chunked("ChunkLeadingZeros", "7.1", "0003\r\nabc\r\n000\r\n\r\n");
  c.chunked("ChunkExtension", "7.1.1", "3;a=b\r\nabc\r\n0;last\r\n\r\n");
  c.chunked("ChunkQuotedExtension", "7.1.1", "3;a=\"b c\"\r\nabc\r\n0\r\n\r\n");
  c.chunked("ChunksThenRequest", "7.1", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  c.chunked("Trailers", "7.1.2", "1\r\na\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n");
  c.chunked("TrailersThatFrame", "9110 6.5.1", "1\r\na\r\n0\r\nHost: evil\r\nConnection: close\r\nX: 1\r\n\r\n");
  c.chunked("DataRunsOn", "7.1", "3\r\nabcX\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("DataEndsInJunk", "7.1", "3\r\nabcXX0\r\n\r\n", Errc::bad_chunk);
  c.chunked("DataEndsInLf", "7.1", "3\r\nabc\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeEndsInLf", "7.1", "3\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("LastEndsInLf", "7.1", "1\r\na\r\n0\n\r\n", Errc::bad_chunk);
  c.chunked("EndIsLf", "7.1", "1\r\na\r\n0\r\n\n", Errc::bad_field);
  c.chunked("SizeWithPrefix", "7.1", "0x3\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeWithPlus", "7.1", "+3\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeWithMinus", "7.1", "-3\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeWithSpaceBefore", "7.1", " 3\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeWithSpaceBehind", "7.1", "3 \r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeEmpty", "7.1", "\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeNotHex", "7.1", "g\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("SizeOverflow", "7.1", "10000000000000003\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("LfInExtension", "7.1.1", "3;a\nb\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("CrInExtension", "7.1.1", "3;a\rb\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("LfInQuotedExtension", "7.1.1", "3;a=\"\n\"\r\nabc\r\n0\r\n\r\n", Errc::bad_chunk);
  c.chunked("ExtensionTooLong", "7.1.1", "3;" + std::string(17 * 1024, 'e') + "\r\nabc\r\n0\r\n\r\n",
            Errc::chunk_overhead);
  c.chunked(
      "TinyChunks", "7.1.1",
      [] {
        std::string text;
        for (int i = 0; i < 4000; ++i) text += "1\r\na\r\n";
        return text + "0\r\n\r\n";
      }(),
      Errc::chunk_overhead);
  c.chunked("FoldedTrailer", "5.2", "0\r\nX: a\r\n b\r\n\r\n", Errc::bad_field);
  c.chunked("EmptyTrailerName", "5.1", "0\r\n: a\r\n\r\n", Errc::bad_field);
  c.chunked("LfInTrailer", "2.2", "0\r\nX: a\n\r\n", Errc::bad_field);
  c.chunked("TrailersTooLarge", "6585 5", "0\r\nX: " + std::string(9 * 1024, 't') + "\r\n\r\n",
            Errc::trailers_too_large);
}

void connections(Corpus& c) {
  c.get("UpgradeUnknown", "9110 7.8", "Host: a\r\nUpgrade: foo\r\nConnection: upgrade\r\n");
  c.wire("UpgradeThenRequest", "9110 7.8",
         "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nGET /2 HTTP/1.1\r\nHost: "
         "a\r\n\r\n");
  c.post("UpgradeWithBody", "9110 7.8", "Upgrade: foo\r\nConnection: upgrade\r\nContent-Length: 2\r\n",
         "hiGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  c.wire("ConnectThenRequest", "9110 9.3.6",
         "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  c.get("Close", "9.6", "Host: a\r\nConnection: close\r\n");
  c.wire("BytesBehindClose", "9.6", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\n");
  c.get("ConnectionList", "9.6", "Host: a\r\nConnection: foo, Close\r\n");
  c.wire("Http10", "9.3", "GET / HTTP/1.0\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
  c.wire("Http10KeepAlive", "9.3", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
  c.get("ExpectationUnknown", "9110 10.1.1", "Host: a\r\nExpect: 200-ok\r\n", Errc::expectation_failed);
  c.post("Expects", "9110 10.1.1", "Expect: 100-Continue\r\nContent-Length: 2\r\n", "hi");
  c.wire("ExpectationInHttp10", "9110 10.1.1", "GET / HTTP/1.0\r\nExpect: x\r\n\r\n");
}

}  // namespace

std::span<const WireCase> wire_cases() {
  static const std::vector<WireCase> kCases = [] {
    Corpus corpus;
    request_lines(corpus);
    line_ends(corpus);
    fields(corpus);
    hosts(corpus);
    framing(corpus);
    chunks(corpus);
    connections(corpus);
    return std::move(corpus.cases);
  }();
  return kCases;
}

}  // namespace equinox::http::test
