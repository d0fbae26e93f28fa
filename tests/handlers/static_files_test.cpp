#include "handlers/static_files.hpp"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <climits>
#include <ctime>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/open_file.hpp"
#include "base/unique_fd.hpp"
#include "handlers/compression.hpp"
#include "handlers/file_store.hpp"
#include "handlers/request_maker.hpp"
#include "handlers/temporary_folder.hpp"
#include "http/date.hpp"
#include "http/target.hpp"

namespace equinox::handlers {
namespace {

const std::string kLongText(4000, 'x');
constexpr std::chrono::seconds kLongAgo{1'600'000'000};

class StaticFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder.write("site/index.html", "<h1>home</h1>");
    folder.write("site/a.txt", "0123456789");
    folder.write("site/docs/index.html", "docs");
    folder.write("site/empty/.keep", "");
    folder.write("site/.secret", "no");
    folder.write("site/.well-known/security.txt", "yes");
    folder.write("site/long.txt", kLongText);
    folder.write("outside.txt", "outside");
    set_changed("site/a.txt", kLongAgo);  // a date is told of a second that is over
    options.root = (folder.path() / "site").string();
    options.offload = [this](std::function<void()> work) {
      offloaded.push_back(std::move(work));
      return true;
    };
  }

  Response get(const std::string& rest) { return ask(RequestMaker{"/" + rest}.rest(rest)); }
  Response ask(RequestMaker& maker) {
    if (!handler) handler = static_files(options);
    return handler(maker.make());
  }
  Response ask(RequestMaker&& maker) { return ask(maker); }
  void set_changed(const std::string& name, std::chrono::nanoseconds since_epoch) const {
    const std::chrono::sys_time<std::chrono::nanoseconds> moment{since_epoch};
    std::filesystem::last_write_time(folder.path() / name, std::chrono::file_clock::from_sys(moment));
  }
  std::string text(const std::string& rest) {
    Response response = get(rest);
    return std::to_string(response.status().code()) + " " + body_of(response);
  }

  TemporaryFolder folder;
  StaticOptions options;
  SyncHandler handler;
  std::vector<std::function<void()>> offloaded;
};

TEST_F(StaticFilesTest, AFolderIsRedirectedToTheNameItWasAskedBy) {
  folder.write("site/a;v=1@b:c&d/index.html", "x");
  const Response redirected = get("a;v=1@b:c&d");
  EXPECT_EQ(redirected.status().code(), 301);
  EXPECT_EQ(redirected.field("Location"), "/a;v=1@b:c&d/");
}

TEST_F(StaticFilesTest, AFolderNamedWithAnEncodedSlashIsRedirectedToItself) {
  folder.write("site/docs/deep/index.html", "deep");
  const Response redirected = ask(RequestMaker{"/docs%2Fdeep"}.rest("docs/deep"));
  EXPECT_EQ(redirected.status().code(), 301);
  EXPECT_EQ(redirected.field("Location"), "/docs%2Fdeep/");
}

TEST_F(StaticFilesTest, SendsAFileWithItsTypeAndValidators) {
  Response response = get("a.txt");
  EXPECT_EQ(response.status().code(), 200);
  EXPECT_EQ(body_of(response), "0123456789");
  EXPECT_EQ(response.content_type(), "text/plain; charset=utf-8");
  EXPECT_THAT(std::string{response.field("ETag")}, testing::MatchesRegex("\"[0-9a-z]*\""));
  EXPECT_THAT(std::string{response.field("Last-Modified")}, testing::EndsWith(" GMT"));
  EXPECT_EQ(response.field("Accept-Ranges"), "bytes");
  EXPECT_EQ(response.field("Vary"), "Accept-Encoding");
}

TEST_F(StaticFilesTest, AnswersForFoldersByTheirIndex) {
  EXPECT_EQ(text(""), "200 <h1>home</h1>");
  EXPECT_EQ(text("docs/"), "200 docs");
  Response redirected = ask(RequestMaker{"/docs"}.rest("docs").query("a=b"));
  EXPECT_EQ(redirected.status().code(), 301);
  EXPECT_EQ(redirected.field("Location"), "/docs/?a=b");
  EXPECT_EQ(get("empty/").status().code(), 404);
}

TEST_F(StaticFilesTest, ARedirectToAFolderNeverNamesAnotherHost) {
  Response redirected = ask(RequestMaker{"//docs"}.rest("docs"));
  EXPECT_EQ(redirected.field("Location"), "/docs/");
}

TEST_F(StaticFilesTest, LeavesTheRootByNoPath) {
  std::filesystem::create_symlink("../outside.txt", folder.path() / "site/link.txt");
  std::filesystem::create_symlink(folder.path() / "outside.txt", folder.path() / "site/absolute.txt");
  std::filesystem::create_directory_symlink("..", folder.path() / "site/up");
  for (const std::string rest :
       {"../outside.txt", "docs/../../outside.txt", "..", "./a.txt", "link.txt", "absolute.txt", "up/outside.txt",
        "up/", "up", "/etc/passwd", "//etc/passwd", "docs//index.html", "a.txt/", "a.txt/b", "docs/index.html/"}) {
    EXPECT_EQ(get(rest).status().code(), 404) << rest;
  }
  EXPECT_EQ(get(std::string{"a.txt\0.html", 11}).status().code(), 404);
  EXPECT_EQ(get(std::string(300, 'a')).status().code(), 404);
  EXPECT_EQ(get(std::string(5000, 'a')).status().code(), 404);
}

TEST_F(StaticFilesTest, FollowsALinkThatStaysInside) {
  std::filesystem::create_symlink("a.txt", folder.path() / "site/inside.txt");
  EXPECT_EQ(text("inside.txt"), "200 0123456789");
}

TEST_F(StaticFilesTest, HidesDotfilesButNotWellKnown) {
  EXPECT_EQ(get(".secret").status().code(), 404);
  EXPECT_EQ(get("empty/.keep").status().code(), 404);
  EXPECT_EQ(text(".well-known/security.txt"), "200 yes");
  EXPECT_EQ(get("docs/.well-known/x").status().code(), 404);
}

TEST_F(StaticFilesTest, NeitherSendsNorOpensAFifo) {
  const auto pipe = folder.path() / "site/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::size_t open_files : {options.open_files_max, std::size_t{0}}) {
    options.open_files_max = open_files;
    handler = nullptr;
    const UniqueFd opened{::inotify_init1(IN_NONBLOCK)};
    ASSERT_GE(::inotify_add_watch(opened.get(), pipe.c_str(), IN_OPEN), 0);
    EXPECT_EQ(get("pipe").status().code(), 404);
    std::array<char, sizeof(inotify_event) + NAME_MAX + 1> event{};
    EXPECT_EQ(::read(opened.get(), event.data(), event.size()), -1) << "who waits to write would go on";
  }
}

TEST_F(StaticFilesTest, RefusesOtherMethods) {
  Response response = ask(RequestMaker{"/a.txt", Method::post}.rest("a.txt"));
  EXPECT_EQ(response.status().code(), 405);
  EXPECT_EQ(response.field("Allow"), "GET, HEAD");
}

TEST_F(StaticFilesTest, AnswersConditionalRequests) {
  const std::string etag{get("a.txt").field("ETag")};
  const std::string modified{get("a.txt").field("Last-Modified")};
  Response same = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("If-None-Match", "\"x\", W/" + etag));
  EXPECT_EQ(same.status().code(), 304);
  EXPECT_EQ(same.field("ETag"), etag);
  EXPECT_EQ(ask(RequestMaker{"/a.txt"}.rest("a.txt").field("If-Modified-Since", modified)).status().code(), 304);
  EXPECT_EQ(
      ask(RequestMaker{"/a.txt"}.rest("a.txt").field("If-None-Match", "\"x\"").field("If-Modified-Since", modified))
          .status()
          .code(),
      200);
  EXPECT_EQ(ask(RequestMaker{"/a.txt"}.rest("a.txt").field("If-Match", "\"x\"")).status().code(), 412);
  EXPECT_EQ(ask(RequestMaker{"/a.txt"}.rest("a.txt").field("If-Match", etag)).status().code(), 200);
}

TEST_F(StaticFilesTest, ATimeOfChangeThatLiesAheadIsNotTold) {
  set_changed("site/a.txt", std::chrono::seconds{std::time(nullptr)} + std::chrono::hours{1});
  Response response = get("a.txt");
  EXPECT_EQ(response.status().code(), 200);
  EXPECT_EQ(response.field("Last-Modified"), "");
  EXPECT_NE(response.field("ETag"), "");
  Response again =
      ask(RequestMaker{"/a.txt"}.rest("a.txt").field("If-None-Match", std::string{response.field("ETag")}));
  EXPECT_EQ(again.status().code(), 304);
  EXPECT_EQ(again.field("Last-Modified"), "");
  set_changed("site/a.txt", kLongAgo);
  EXPECT_NE(get("a.txt").field("Last-Modified"), "");
}

TEST_F(StaticFilesTest, ADateIsNoValidatorWhileItsSecondRuns) {
  const auto answers_with = [&](std::time_t changed) {
    set_changed("site/a.txt", std::chrono::seconds{changed});
    const std::string date = http::format_http_date(changed);
    const auto part = [&] { return RequestMaker{"/a.txt"}.rest("a.txt").field("Range", "bytes=0-1"); };
    return std::to_string(ask(part().field("If-Range", date)).status().code()) + " " +
           std::to_string(ask(part().field("If-Modified-Since", date)).status().code()) + " " +
           std::string{get("a.txt").field("Last-Modified")};
  };
  std::time_t second = 0;
  std::string answers;
  do {
    second = std::time(nullptr);
    answers = answers_with(second);
  } while (second != std::time(nullptr));  // it was over too soon
  EXPECT_EQ(answers, "200 206 ");
  EXPECT_EQ(answers_with(second - 60), "206 304 " + http::format_http_date(second - 60));
}

TEST_F(StaticFilesTest, SendsOneRange) {
  Response response = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Range", "bytes=2-4"));
  EXPECT_EQ(response.status().code(), 206);
  EXPECT_EQ(response.field("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(body_of(response), "234");
}

TEST_F(StaticFilesTest, SendsSeveralRangesAsParts) {
  folder.write("site/parts.txt", "01" + std::string(1000, '-') + "89");
  Response response = ask(RequestMaker{"/parts.txt"}.rest("parts.txt").field("Range", "bytes=0-1, -2"));
  EXPECT_EQ(response.status().code(), 206);
  const std::string type{response.content_type()};
  ASSERT_TRUE(type.starts_with("multipart/byteranges; boundary="));
  const std::string boundary = type.substr(type.find('=') + 1);
  const std::string expected =
      "\r\n--" + boundary +
      "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-1/1004\r\n\r\n01\r\n--" + boundary +
      "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 1002-1003/1004\r\n\r\n89\r\n--" + boundary +
      "--\r\n";
  EXPECT_EQ(response.body_length(), expected.size());
  EXPECT_EQ(body_of(response), expected);
}

TEST_F(StaticFilesTest, ABoundaryTellsNothingOfTheLastOne) {
  folder.write("site/parts.txt", std::string(1000, '-'));
  const auto ranges = [&] { return ask(RequestMaker{"/parts.txt"}.rest("parts.txt").field("Range", "bytes=0-1, -2")); };
  Response first = ranges();
  Response second = ranges();
  EXPECT_NE(first.content_type(), second.content_type());
  EXPECT_EQ(first.body_length(), second.body_length());
}

TEST_F(StaticFilesTest, ARangeBombNeverCostsMoreThanTheFile) {
  std::string ranges = "bytes=0-";
  for (int i = 0; i < 15; ++i) ranges += ",0-";
  Response joined = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Range", ranges));
  EXPECT_EQ(joined.status().code(), 206);
  EXPECT_EQ(body_of(joined).size(), 10u);
  Response whole = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Range", ranges + ",0-"));
  EXPECT_EQ(whole.status().code(), 200);
  // The heads of the parts count, too.
  Response parts = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Range", "bytes=0-1, -2"));
  EXPECT_EQ(parts.status().code(), 200);
  EXPECT_EQ(body_of(parts), "0123456789");
}

TEST_F(StaticFilesTest, RefusesARangeBehindTheEnd) {
  Response response = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Range", "bytes=10-"));
  EXPECT_EQ(response.status().code(), 416);
  EXPECT_EQ(response.field("Content-Range"), "bytes */10");
}

TEST_F(StaticFilesTest, IgnoresARangeOfAnotherState) {
  const std::string etag{get("a.txt").field("ETag")};
  Response old = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Range", "bytes=0-1").field("If-Range", "\"old\""));
  EXPECT_EQ(old.status().code(), 200);
  Response same = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Range", "bytes=0-1").field("If-Range", etag));
  EXPECT_EQ(same.status().code(), 206);
}

TEST_F(StaticFilesTest, NoticesAChangeOfAFileItKeepsOpen) {
  struct stat facts {};
  ASSERT_EQ(::stat((folder.path() / "site/a.txt").c_str(), &facts), 0);
  while (!has_come_to_rest(FileVersion::of(facts).changed_ns)) std::this_thread::yield();
  EXPECT_EQ(text("a.txt"), "200 0123456789");
  const std::string before{get("a.txt").field("ETag")};
  folder.write("site/a.txt", "changed");
  EXPECT_EQ(text("a.txt"), "200 changed");
  EXPECT_NE(get("a.txt").field("ETag"), before);
  std::filesystem::remove(folder.path() / "site/a.txt");
  EXPECT_EQ(get("a.txt").status().code(), 404);
}

TEST_F(StaticFilesTest, AnEntityTagStandsForTheBytesOfASmallFile) {
  const auto tag_of = [&](const std::string& text, std::chrono::seconds changed) {
    folder.write("site/same.txt", text);
    set_changed("site/same.txt", changed);
    Response response = get("same.txt");
    EXPECT_EQ(body_of(response), text);
    return std::string{response.field("ETag")};
  };
  const std::string a = tag_of("AAAAAAAAA", kLongAgo);
  const std::string b = tag_of("AAAAAAAAB", kLongAgo);
  EXPECT_NE(a, b) << "size and time are the same";
  EXPECT_EQ(tag_of("AAAAAAAAA", kLongAgo * 2), a) << "as of a replica with other times";
  for (int i = 0; i < 50; ++i) {  // as fast as the clock of the files is slow
    EXPECT_EQ(tag_of("AAAAAAAAA", kLongAgo), a);
    EXPECT_EQ(tag_of("AAAAAAAAB", kLongAgo), b);
  }
}

TEST_F(StaticFilesTest, ACompressedFormIsThatOfTheBytesTheTagStandsFor) {
  const auto form_of = [&](char c) {
    const std::string text(4000, c);
    folder.write("site/same.txt", text);
    set_changed("site/same.txt", kLongAgo);
    Response response = ask(RequestMaker{"/same.txt"}.rest("same.txt").field("Accept-Encoding", "gzip"));
    for (const auto& work : offloaded) work();
    offloaded.clear();
    EXPECT_EQ(body_of(response), *compress(Encoding::gzip, text));
  };
  for (int i = 0; i < 20; ++i) form_of(i % 2 == 0 ? 'A' : 'B');
}

TEST_F(StaticFilesTest, ALargeFileWithAConstantTimeHasATagOfItsOwn) {
  const auto tag_of = [&](char c, std::chrono::seconds changed) {
    folder.write("site/large.bin", std::string(20'000, c));
    set_changed("site/large.bin", changed);
    return std::string{get("large.bin").field("ETag")};
  };
  const auto ctime_now = [&] {
    struct stat facts {};
    ::stat((folder.path() / "site/large.bin").c_str(), &facts);
    return FileVersion::of(facts).changed_ns;
  };
  constexpr std::chrono::seconds kZipEpoch{315'532'800};
  const std::string first = tag_of('A', kZipEpoch);
  std::string second;
  for (const auto before = ctime_now(); ctime_now() == before;) second = tag_of('B', kZipEpoch);
  EXPECT_NE(second, first);
  EXPECT_EQ(tag_of('A', kLongAgo), tag_of('A', kLongAgo)) << "as of a replica with the same archive";
  EXPECT_NE(tag_of('A', kLongAgo), tag_of('A', kLongAgo + std::chrono::seconds{1}));
}

TEST_F(StaticFilesTest, WorksWithoutKeepingFilesOpen) {
  options.open_files_max = 0;
  EXPECT_EQ(text("a.txt"), "200 0123456789");
  EXPECT_EQ(text("docs/"), "200 docs");
  EXPECT_EQ(get("docs").status().code(), 301);
}

TEST_F(StaticFilesTest, PrefersAFileCompressedBeforehand) {
  folder.write("site/a.txt.br", "BR");
  folder.write("site/a.txt.gz", "GZ");
  Response response = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Accept-Encoding", "gzip, br"));
  EXPECT_EQ(response.field("Content-Encoding"), "br");
  EXPECT_EQ(response.content_type(), "text/plain; charset=utf-8");
  EXPECT_EQ(body_of(response), "BR");
  EXPECT_NE(response.field("ETag"), get("a.txt").field("ETag"));
  Response gzip = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Accept-Encoding", "gzip, br;q=0.1"));
  EXPECT_EQ(gzip.field("Content-Encoding"), "gzip");
  Response plain = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Accept-Encoding", "br;q=0, zstd"));
  EXPECT_EQ(plain.field("Content-Encoding"), "");
}

TEST_F(StaticFilesTest, SendsACompressedNeighbourOfAnyTypeButMakesNone) {
  folder.write("site/model.glb", kLongText);
  folder.write("site/doc.pdf", kLongText);
  folder.write("site/model.glb.gz", "GZ");
  const auto ask_gzip = [&](const std::string& name) {
    return ask(RequestMaker{"/" + name}.rest(name).field("Accept-Encoding", "gzip"));
  };
  Response model = ask_gzip("model.glb");
  EXPECT_EQ(model.field("Content-Encoding"), "gzip");
  EXPECT_EQ(model.content_type(), get("model.glb").content_type());
  EXPECT_EQ(body_of(model), "GZ");
  EXPECT_NE(model.field("ETag"), get("model.glb").field("ETag"));
  EXPECT_EQ(get("model.glb").field("Vary"), "Accept-Encoding") << "also where the plain file is sent";
  Response document = ask_gzip("doc.pdf");
  EXPECT_EQ(document.field("Content-Encoding"), "");
  EXPECT_EQ(document.field("Vary"), "Accept-Encoding");
  EXPECT_TRUE(offloaded.empty());
}

TEST_F(StaticFilesTest, NothingVariesWithoutCompressedNeighbours) {
  options.precompressed = false;
  folder.write("site/doc.pdf", kLongText);
  folder.write("site/doc.pdf.gz", "GZ");
  Response response = ask(RequestMaker{"/doc.pdf"}.rest("doc.pdf").field("Accept-Encoding", "gzip"));
  EXPECT_EQ(response.field("Content-Encoding"), "");
  EXPECT_EQ(response.field("Vary"), "");
}

TEST_F(StaticFilesTest, NoticesACompressedNeighbourThatComesLater) {
  const auto coding = [&] {
    return std::string{
        ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Accept-Encoding", "br")).field("Content-Encoding")};
  };
  EXPECT_EQ(coding(), "");
  folder.write("site/a.txt.br", "BR");
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (coding() != "br" && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  EXPECT_EQ(coding(), "br");
}

TEST_F(StaticFilesTest, LeavesAnOutdatedCompressedFileAlone) {
  folder.write("site/a.txt.br", "OLD");
  set_changed("site/a.txt.br", kLongAgo - std::chrono::hours{1});
  Response response = ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Accept-Encoding", "br"));
  EXPECT_EQ(response.field("Content-Encoding"), "");
}

TEST_F(StaticFilesTest, ACompressedFileMayBeOlderByNoPartOfASecond) {
  folder.write("site/a.txt.br", "BR");
  using std::chrono::milliseconds;
  const auto coding = [&](milliseconds plain, milliseconds compressed) {
    set_changed("site/a.txt", plain);
    set_changed("site/a.txt.br", compressed);
    handler = nullptr;  // it remembers for a second what was missing
    return std::string{
        ask(RequestMaker{"/a.txt"}.rest("a.txt").field("Accept-Encoding", "br")).field("Content-Encoding")};
  };
  EXPECT_EQ(coding(milliseconds{7500}, milliseconds{7100}), "");
  EXPECT_EQ(coding(milliseconds{7500}, milliseconds{7500}), "br");
  EXPECT_EQ(coding(milliseconds{7500}, milliseconds{7000}), "br") << "a time that an archive cut";
  EXPECT_EQ(coding(milliseconds{7500}, milliseconds{6000}), "");
}

TEST_F(StaticFilesTest, CompressesTextOnceAndOffTheReactor) {
  const auto ask_gzip = [&] {
    return ask(RequestMaker{"/long.txt"}.rest("long.txt").field("Accept-Encoding", "gzip"));
  };
  Response first = ask_gzip();
  EXPECT_EQ(first.field("Content-Encoding"), "gzip");
  EXPECT_EQ(body_of(first), "<pending>");
  Response second = ask_gzip();
  ASSERT_EQ(offloaded.size(), 1u) << "one state of one file is compressed once";
  offloaded[0]();
  const std::string expected = *compress(Encoding::gzip, kLongText);
  EXPECT_EQ(body_of(first), expected);
  EXPECT_EQ(body_of(second), expected);
  Response third = ask_gzip();
  EXPECT_EQ(body_of(third), expected);
  EXPECT_EQ(third.body_length(), expected.size());
  EXPECT_EQ(offloaded.size(), 1u);
  folder.write("site/long.txt", kLongText + "y");
  Response changed = ask_gzip();
  EXPECT_EQ(offloaded.size(), 2u);
  EXPECT_NE(changed.field("ETag"), third.field("ETag"));
}

TEST_F(StaticFilesTest, SendsThePlainFileWhenNobodyCanCompress) {
  options.offload = [](const std::function<void()>&) { return false; };
  Response response = ask(RequestMaker{"/long.txt"}.rest("long.txt").field("Accept-Encoding", "gzip"));
  EXPECT_EQ(response.field("Content-Encoding"), "");
  EXPECT_EQ(body_of(response), kLongText);
  EXPECT_EQ(response.field("ETag"), get("long.txt").field("ETag"));
}

TEST_F(StaticFilesTest, FallsBackForApplicationsThatRouteThemselves) {
  options.fallback = "index.html";
  EXPECT_EQ(text("some/route"), "200 <h1>home</h1>");
  EXPECT_EQ(text("../outside.txt"), "200 <h1>home</h1>");
  EXPECT_EQ(text("a.txt"), "200 0123456789");
}

TEST_F(StaticFilesTest, ListsAFolderOnlyWhenAsked) {
  options.listing = true;
  folder.write("site/empty/<b>&\"'.txt", "x");
  std::filesystem::create_directory(folder.path() / "site/empty/sub");
  Response response = ask(RequestMaker{"/empty/"}.rest("empty/"));
  const std::string page = body_of(response);
  EXPECT_EQ(response.content_type(), "text/html; charset=utf-8");
  EXPECT_THAT(page, testing::HasSubstr("./%3Cb%3E%26%22%27.txt\">&lt;b&gt;&amp;&quot;&#39;.txt</a>"));
  EXPECT_THAT(page, testing::HasSubstr("\"./sub/\""));
  EXPECT_THAT(page, testing::Not(testing::HasSubstr(".keep")));
}

TEST_F(StaticFilesTest, AListingLeadsBackToEachFile) {
  options.listing = true;
  const std::vector<std::string> names{"a%2Fb", "a%252Fb", "100%", "%41", "%zz", "a b?#", "a:b", "\xff", "%2%2F"};
  for (const std::string& name : names) folder.write("site/empty/" + name, name);
  folder.write("site/empty/a%2fb", "no address leads here");
  Response listing = ask(RequestMaker{"/empty/"}.rest("empty/"));
  const std::string page = body_of(listing);
  std::vector<std::string> reached;
  constexpr std::string_view kLink = "<a href=\"./";
  for (auto at = page.find(kLink); at != std::string::npos; at = page.find(kLink, at)) {
    at += kLink.size();
    const std::string link = "/empty/" + page.substr(at, page.find('"', at) - at);
    std::string scratch;
    const auto path = http::normalize_path(link, scratch);
    ASSERT_TRUE(path) << link;
    Response file = get(std::string{path->substr(1)});
    reached.push_back(body_of(file));
  }
  EXPECT_THAT(reached, testing::UnorderedElementsAreArray(names));
  EXPECT_THAT(page, testing::HasSubstr("<li>a%2fb</li>"));
}

TEST_F(StaticFilesTest, AddsItsCacheControl) {
  options.cache_control = "public, max-age=60";
  EXPECT_EQ(get("a.txt").field("Cache-Control"), "public, max-age=60");
  EXPECT_EQ(get("nothing").field("Cache-Control"), "");
}

TEST_F(StaticFilesTest, OnAnExactRouteTheWholePathNamesTheFile) {
  Response response = ask(RequestMaker{"/docs/index.html"});
  EXPECT_EQ(body_of(response), "docs");
}

TEST_F(StaticFilesTest, NoticesThatItsRootLeadsElsewhere) {
  std::filesystem::create_directory_symlink("site", folder.path() / "current");
  options.root = (folder.path() / "current").string();
  EXPECT_EQ(text("a.txt"), "200 0123456789");
  folder.write("next/a.txt", "next");
  std::filesystem::create_directory_symlink("next", folder.path() / "swap");
  std::filesystem::rename(folder.path() / "swap", folder.path() / "current");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (text("a.txt") != "200 next" && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(text("a.txt"), "200 next");
}

TEST_F(StaticFilesTest, NeedsARootThatIsThere) {
  options.root = "/nonexistent";
  EXPECT_THROW(static_files(options), std::invalid_argument);
}

TEST_F(StaticFilesTest, SendsAnEmptyFile) {
  folder.write("site/zero.txt", "");
  EXPECT_EQ(text("zero.txt"), "200 ");
  EXPECT_EQ(ask(RequestMaker{"/zero.txt"}.rest("zero.txt").field("Range", "bytes=0-")).status().code(), 416);
}

}  // namespace
}  // namespace equinox::handlers
