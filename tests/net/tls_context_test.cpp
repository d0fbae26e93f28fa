#include "net/tls_context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <string>

#include "base/clock.hpp"
#include "net/tls_certificate.hpp"
#include "net/tls_fixture.hpp"

namespace equinox::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::string load_error(const TlsSettings& settings) {
  const auto loaded = TlsContext::load(settings);
  if (loaded) return "loaded";
  EXPECT_EQ(loaded.error().code, Errc::tls_configuration);
  return loaded.error().text;
}

class TlsFiles : public testing::Test {
 protected:
  CertificateFolder folder_;
};

TEST_F(TlsFiles, AreDescribed) {
  const auto context = load({.certificates = {folder_.make("main", {"Example.com", "*.example.com"}, 10)}});
  ASSERT_EQ(context->certificates().size(), 1U);
  const TlsCertificateFacts& facts = context->certificates().front();
  EXPECT_EQ(facts.name, "main");
  EXPECT_EQ(facts.subject, "CN=main");
  EXPECT_EQ(facts.serial, "1234");
  EXPECT_EQ(facts.key, "EC P-256");
  EXPECT_THAT(facts.names, ElementsAre("example.com", "*.example.com"));
  const auto left = facts.not_after - std::chrono::system_clock::now();
  EXPECT_GT(left, 239h);
  EXPECT_LE(left, 241h);
  EXPECT_LE(facts.not_before, std::chrono::system_clock::now());
}

TEST_F(TlsFiles, ThatAreWrongAreNamedWithTheCause) {
  const auto good = folder_.make("good", {"a"});
  const auto other = folder_.make("other", {"b"});
  const std::string junk = folder_.write("junk.pem", "this is no PEM\n");
  EXPECT_EQ(load_error({}), "no certificate");
  EXPECT_EQ(load_error({.certificates = {{"main", folder_.path("none.crt"), good.key_path}}}),
            "certificate \"main\": " + folder_.path("none.crt") + ": No such file or directory");
  EXPECT_EQ(load_error({.certificates = {{"main", good.certificate_path, folder_.path("none.key")}}}),
            "certificate \"main\": " + folder_.path("none.key") + ": No such file or directory");
  EXPECT_THAT(load_error({.certificates = {{"main", junk, good.key_path}}}), HasSubstr(junk + ": no start line"));
  EXPECT_THAT(load_error({.certificates = {{"main", good.certificate_path, junk}}}), HasSubstr(junk + ": "));
  EXPECT_THAT(load_error({.certificates = {good, {"main", good.certificate_path, other.key_path}}}),
              HasSubstr(other.key_path + ": does not belong to " + good.certificate_path));
  EXPECT_THAT(load_error({.certificates = {{"main", good.certificate_path, folder_.encrypt_key(good)}}}),
              HasSubstr("is protected by a passphrase"));
}

TEST_F(TlsFiles, WithUnknownCiphersAreRefused) {
  const auto good = folder_.make("good", {"a"});
  EXPECT_THAT(load_error({.certificates = {good}, .cipher_list = "NONSENSE"}), HasSubstr("cipher list \"NONSENSE\""));
  EXPECT_THAT(load_error({.certificates = {good}, .cipher_suites = "NONSENSE"}),
              HasSubstr("cipher suites \"NONSENSE\""));
}

TEST_F(TlsFiles, CoverNamesByTheirAlternatives) {
  const auto context = load({.certificates = {folder_.make("one", {"example.com", "*.example.com"})}});
  for (const char* name : {"example.com", "EXAMPLE.com", "example.com.", "a.example.com", "*.example.com"}) {
    EXPECT_TRUE(context->covers(name)) << name;
  }
  for (const char* name : {"", ".", "one", "a.b.example.com", ".example.com", "xexample.com", "com", "example.org"}) {
    EXPECT_FALSE(context->covers(name)) << name;
  }
  EXPECT_FALSE(context->covers(std::string(300, 'a')));
  EXPECT_TRUE(load({.certificates = {folder_.make("bare", {})}})->covers("bare"))
      << "the common name, for want of others";
}

TEST(CertificateKey, IsNamedWithItsSizeOrCurve) {
  const auto named = [](EVP_PKEY* made) {
    const KeyPointer key{made};
    const CertificatePointer certificate{X509_new()};
    EXPECT_EQ(X509_set_pubkey(certificate.get(), key.get()), 1);
    return describe_certificate(certificate.get()).key;
  };
  EXPECT_EQ(named(EVP_RSA_gen(2048)), "RSA 2048");
  EXPECT_EQ(named(EVP_EC_gen("P-384")), "EC P-384");
  EXPECT_EQ(named(EVP_EC_gen("secp256k1")), "EC secp256k1");
  EXPECT_EQ(named(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), "ED25519");
}

TEST(SelfSignedCertificate, IsForThisMachineOnly) {
  const auto context = load({.self_signed = true});
  const TlsCertificateFacts& facts = context->certificates().front();
  EXPECT_EQ(facts.name, "self-signed");
  EXPECT_THAT(facts.names, ElementsAre("localhost"));
  EXPECT_EQ(facts.key, "EC P-256");
  EXPECT_GT(facts.not_after, std::chrono::system_clock::now() + 24h);
}

TEST(SelfSignedCertificate, IsKeptWhileTheRulesAroundItChange) {
  const auto first = load({.self_signed = true});
  const auto next = load({.self_signed = true, .self_signed_from = first, .alpn_h2 = false, .strict_sni = true});
  EXPECT_EQ(next->certificates().front().serial, first->certificates().front().serial);
  EXPECT_TRUE(next->is_strict());
  EXPECT_EQ(next->alpn_wire(), "\x08http/1.1");
}

TEST_F(TlsFiles, AreNotTakenForASelfSignedCertificate) {
  const auto file = load({.certificates = {folder_.make("main", {"a"})}});
  const auto made = load({.self_signed = true, .self_signed_from = file});
  EXPECT_EQ(made->certificates().front().subject, "CN=localhost");
  EXPECT_EQ(made->certificates().front().name, "self-signed");
}

TEST(TicketKeys, KeepTheOneBeforeAndForgetOlderOnes) {
  TlsTicketKeys keys;
  const TlsTicketKeys::Key first = keys.current();
  TlsTicketKeys::Key found{};
  bool is_current = false;
  EXPECT_TRUE(keys.find(first.name, found, is_current));
  EXPECT_TRUE(is_current);
  keys.rotate();
  EXPECT_TRUE(keys.find(first.name, found, is_current));
  EXPECT_FALSE(is_current);
  EXPECT_EQ(0, std::memcmp(found.cipher, first.cipher, sizeof found.cipher));
  keys.rotate();
  EXPECT_FALSE(keys.find(first.name, found, is_current));
}

class TicketKeyPeriods : public testing::Test {
 protected:
  TicketKeyPeriods() { keys.rotate_if_due(clock.now()); }
  void pass(Duration time) {
    clock.advance(time);
    keys.rotate_if_due(clock.now());
  }
  bool opens(const TlsTicketKeys::Key& key) {
    TlsTicketKeys::Key found{};
    return keys.find(key.name, found, is_current);
  }
  ManualClock clock;
  TlsTicketKeys keys;
  const TlsTicketKeys::Key first{keys.current()};
  bool is_current{false};
};

TEST_F(TicketKeyPeriods, AKeySealsForOneAndOpensForOneMore) {
  pass(TlsTicketKeys::kPeriod - 1ns);
  EXPECT_TRUE(opens(first) && is_current);
  pass(1ns);
  EXPECT_TRUE(opens(first) && !is_current);
  pass(TlsTicketKeys::kPeriod - 1ns);
  EXPECT_TRUE(opens(first));
  pass(1ns);
  EXPECT_FALSE(opens(first));
}

TEST_F(TicketKeyPeriods, OneThatWasSleptThroughDropsBothKeys) {
  pass(2 * TlsTicketKeys::kPeriod);
  EXPECT_FALSE(opens(first));
  const TlsTicketKeys::Key second = keys.current();
  pass(TlsTicketKeys::kPeriod - 1ns);
  EXPECT_TRUE(opens(second) && is_current) << "its own period begins when it is made";
}

}  // namespace
}  // namespace equinox::net
