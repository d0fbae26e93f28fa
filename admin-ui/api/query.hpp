#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin-ui/api/facts.hpp"

namespace equinox::admin {

/// Fields of the query language, in the order they are listed in answers.
enum class QueryField : std::uint8_t {
  id,
  peer,
  client,
  listener,
  protocol,
  state,
  tls,
  sni,
  reactor,
  slot,
  age,
  idle,
  unused,
  requests,
  received,
  sent,
  in_rate,
  out_rate,
  streams,
  rtt,
  retransmits,
  pending,
  memory,
  method,
  target,
  route,
  deadline,
  timer,
  limited,
  reason,
  initiator,
  family,
  status
};
inline constexpr std::array<std::string_view, 33> kQueryFields{
    "id",      "peer",    "client",      "listener",  "protocol", "state",    "tls",    "sni",     "reactor",
    "slot",    "age",     "idle",        "unused",    "requests", "received", "sent",   "in_rate", "out_rate",
    "streams", "rtt",     "retransmits", "pending",   "memory",   "method",   "target", "route",   "deadline",
    "timer",   "limited", "reason",      "initiator", "family",   "status"};

/// One connection to be looked at: a live one or a closed one.
struct Subject {
  const ConnectionRecord* live{nullptr};
  const ClosedRecord* closed{nullptr};
  const Rate* rate{nullptr};  ///< nothing: not known
};

/// A parsed query: terms that must all hold. `field:value field>value -field:value "a b" word`, see openapi.yaml.
class Query {
 public:
  struct Term {
    enum class Kind : std::uint8_t { bare, text, number, word };
    enum class Operator : std::uint8_t { equals, more, less, at_least, at_most };
    std::string raw;
    Kind kind{Kind::bare};
    Operator op{Operator::equals};
    QueryField field{QueryField::id};
    bool is_negated{false};
    std::string pattern;  ///< lower case, with '*'
    double bound{0};
    double unit{1};           ///< width of what `:` takes as equal
    std::vector<bool> words;  ///< by index
  };

  Query() = default;
  /// @throws Problem 400 `bad-query` with position and length in characters, suggestion and the fields
  Query(std::string_view text, Names names, Redaction redaction, Moment now);

  [[nodiscard]] bool matches(const Subject& subject) const;
  /// The index of the only term that does not hold; nothing when there is none or more than one.
  [[nodiscard]] std::optional<std::size_t> only_failure(const Subject& subject) const;
  [[nodiscard]] bool needs_rate() const noexcept;
  [[nodiscard]] const std::vector<Term>& terms() const noexcept { return terms_; }
  /// The moment against which ages are taken; a kept query is moved on before it is used again.
  void set_now(Moment now) noexcept { now_ = now; }

 private:
  [[nodiscard]] bool holds(const Term& term, const Subject& subject) const;

  std::vector<Term> terms_;
  Names names_;
  Redaction redaction_;
  Moment now_;
};

/// Case-insensitive match of all of `text`; `pattern` is lower case, '*' stands for any bytes.
bool matches_pattern(std::string_view text, std::string_view pattern) noexcept;
/// The known word within two slips of typing; empty when there is none.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known);

/// Values of fields, shared with sorting. Nothing when the field does not apply or is not known.
std::optional<double> number_value(QueryField field, const Subject& subject, const Moment& now) noexcept;
std::optional<std::size_t> word_value(QueryField field, const Subject& subject) noexcept;

}  // namespace equinox::admin
