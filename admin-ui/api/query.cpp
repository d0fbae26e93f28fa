#include "admin-ui/api/query.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "admin-ui/api/json.hpp"
#include "http/headers.hpp"

namespace equinox::admin {
namespace {

using Term = Query::Term;

using http::to_lower;

std::string lowered(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

struct Fault {
  std::size_t position;  ///< of the first character concerned
  std::size_t length;    ///< characters
  std::string message;
  std::string suggestion{};
};

[[noreturn]] void refuse(Fault fault) {
  Problem problem{400, "bad-query", "The query cannot be understood", std::move(fault.message)};
  Json fields = Json::array();
  for (const std::string_view name : kQueryFields) fields.push_back(name);
  problem.with("position", fault.position).with("length", fault.length).with("fields", std::move(fields));
  if (!fault.suggestion.empty()) problem.with("suggestion", fault.suggestion);
  throw problem;
}

/// UTF-8: whoever marks the place counts characters.
std::size_t characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string without_quotes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '"') out += c;
  }
  return out;
}

std::optional<QueryField> field_named(std::string_view name) noexcept {
  if (name == "proto") return QueryField::protocol;
  for (std::size_t i = 0; i < kQueryFields.size(); ++i) {
    if (kQueryFields[i] == name) return static_cast<QueryField>(i);
  }
  return std::nullopt;
}

enum class Sort : std::uint8_t { text, word, duration, size, number };

Sort sort_of(QueryField field) noexcept {
  switch (field) {
    case QueryField::id:
    case QueryField::peer:
    case QueryField::client:
    case QueryField::sni:
    case QueryField::target: return Sort::text;
    case QueryField::age:
    case QueryField::idle:
    case QueryField::unused:
    case QueryField::rtt:
    case QueryField::deadline: return Sort::duration;
    case QueryField::received:
    case QueryField::sent:
    case QueryField::in_rate:
    case QueryField::out_rate:
    case QueryField::pending:
    case QueryField::memory: return Sort::size;
    case QueryField::reactor:
    case QueryField::slot:
    case QueryField::requests:
    case QueryField::streams:
    case QueryField::retransmits:
    case QueryField::status: return Sort::number;
    default: return Sort::word;
  }
}

template <Word E>
std::vector<std::string_view> words_of() {
  return {Vocabulary<E>::names.begin(), Vocabulary<E>::names.end()};
}

std::vector<std::string_view> known_words(QueryField field, const Names& names) {
  switch (field) {
    case QueryField::protocol: return words_of<Protocol>();
    case QueryField::state: return words_of<ConnectionState>();
    case QueryField::tls: return words_of<TlsVersion>();
    case QueryField::method: return {kMethodLabels.begin(), kMethodLabels.end()};
    case QueryField::timer: return words_of<DeadlineKind>();
    case QueryField::limited: return words_of<LimitedBy>();
    case QueryField::reason: return words_of<CloseReason>();
    case QueryField::initiator: return words_of<Initiator>();
    case QueryField::family: return words_of<CloseFamily>();
    case QueryField::listener: return {names.listeners.begin(), names.listeners.end()};
    default: return {names.routes.begin(), names.routes.end()};
  }
}

struct Measure {
  double value;
  double unit;
};

/// "30s", "1.5k", "200": a number with the units of its kind.
std::optional<Measure> read_measure(std::string_view text, Sort sort) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  if (suffix.empty()) return Measure{value, 1};
  constexpr std::pair<std::string_view, double> kDurations[]{{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};
  constexpr std::pair<std::string_view, double> kSizes[]{{"k", 1024}, {"M", 1048576}, {"G", 1073741824}};
  if (sort == Sort::duration) {
    for (const auto& [name, unit] : kDurations) {
      if (suffix == name) return Measure{value * unit, unit};
    }
  }
  if (sort == Sort::size) {
    for (const auto& [name, unit] : kSizes) {
      if (suffix == name || (name == "k" && suffix == "K")) return Measure{value * unit, unit};
    }
  }
  return std::nullopt;
}

std::string_view measure_hint(Sort sort) noexcept {
  if (sort == Sort::duration) return "a duration such as 200ms, 30s, 5m or 1h";
  if (sort == Sort::size) return "a size such as 1500, 64k, 2M or 1G";
  return "a number";
}

struct Token {
  std::string_view raw;
  std::size_t start;  ///< characters before it
};

/// Splits at spaces outside double quotes; an unfinished quote runs to the end.
std::vector<Token> split(std::string_view text) {
  std::vector<Token> out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t start = at;
    bool quoted = false;
    for (; at < text.size() && (quoted || text[at] != ' '); ++at) {
      if (text[at] == '"') quoted = !quoted;
    }
    out.push_back({text.substr(start, at - start), characters(text.substr(0, start))});
  }
  return out;
}

struct Parts {
  std::string_view name;
  Term::Operator op;
  std::string_view value;
};

/// name, operator, value; nothing for a bare word.
std::optional<Parts> split_term(std::string_view text) noexcept {
  const auto is_letter = [](char c) { return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_'; };
  std::size_t end = 0;
  while (end < text.size() && (is_letter(text[end]) || (end > 0 && text[end] >= '0' && text[end] <= '9'))) ++end;
  if (end == 0 || end == text.size()) return std::nullopt;
  const std::string_view rest = text.substr(end);
  const std::string_view name = text.substr(0, end);
  if (rest.starts_with(">=")) return Parts{name, Term::Operator::at_least, rest.substr(2)};
  if (rest.starts_with("<=")) return Parts{name, Term::Operator::at_most, rest.substr(2)};
  if (rest.front() == '>') return Parts{name, Term::Operator::more, rest.substr(1)};
  if (rest.front() == '<') return Parts{name, Term::Operator::less, rest.substr(1)};
  if (rest.front() == ':') return Parts{name, Term::Operator::equals, rest.substr(1)};
  return std::nullopt;
}

/// A value as it was written, quotes and all.
struct Written {
  std::string_view text;
  std::size_t position;
  [[nodiscard]] Fault fault(std::string message, std::string suggestion = {}) const {
    return {position, std::max<std::size_t>(characters(text), 1), std::move(message), std::move(suggestion)};
  }
};

void read_word(Term& term, const std::string& value, const Written& written, const Names& names) {
  term.kind = Term::Kind::word;
  const auto known = known_words(term.field, names);
  bool any = false;
  for (const std::string_view word : known) {
    term.words.push_back(matches_pattern(word, lowered(value)));
    any = any || term.words.back();
  }
  // Routes and listeners come and go with the configuration: one that is not there is an empty answer, not a mistake.
  const bool is_open = term.field == QueryField::route || term.field == QueryField::listener;
  if (any || is_open || value.find('*') != std::string::npos) return;
  refuse(written.fault(std::string{kQueryFields[static_cast<std::size_t>(term.field)]} + " is never \"" + value + "\"",
                       std::string{nearest_word(lowered(value), known)}));
}

void read_number(Term& term, const std::string& value, const Written& written, Sort sort) {
  if (term.op == Term::Operator::equals && value.find('*') != std::string::npos) {
    term.kind = Term::Kind::text;  // status:5*
    term.pattern = lowered(value);
    return;
  }
  const auto measure = read_measure(value, sort);
  if (!measure) refuse(written.fault("\"" + value + "\" is not " + std::string{measure_hint(sort)}));
  term.kind = Term::Kind::number;
  term.bound = measure->value;
  term.unit = measure->unit;
}

Term read_term(const Token& token, const Names& names) {
  Term term;
  term.raw = token.raw;
  std::string_view text = token.raw;
  std::size_t start = token.start;
  if (text.size() > 1 && text.front() == '-') {
    term.is_negated = true;
    text.remove_prefix(1);
    ++start;
  }
  const auto parts = split_term(text);
  if (!parts) {
    term.pattern = lowered(without_quotes(text));
    return term;
  }
  const std::string name = lowered(parts->name);
  const auto field = field_named(name);
  if (!field) {
    const std::vector<std::string_view> known{kQueryFields.begin(), kQueryFields.end()};
    refuse({start, name.size(), "There is no field \"" + name + "\"", std::string{nearest_word(name, known)}});
  }
  term.field = *field;
  term.op = parts->op;
  const Sort sort = sort_of(*field);
  const std::string value = without_quotes(parts->value);
  if (value.empty()) refuse({start, characters(text), name + " needs a value"});
  if (term.op != Term::Operator::equals && (sort == Sort::text || sort == Sort::word)) {
    refuse(
        {start, characters(text), name + " is text; compare it with a colon", name + ":" + std::string{parts->value}});
  }
  const std::size_t head = text.size() - parts->value.size();
  const Written written{parts->value, start + characters(text.substr(0, head))};
  if (sort == Sort::word) {
    read_word(term, value, written, names);
  } else if (sort == Sort::text) {
    term.kind = Term::Kind::text;
    term.pattern = lowered(value);
  } else {
    read_number(term, value, written, sort);
  }
  return term;
}

bool compare(const Term& term, double value) noexcept {
  switch (term.op) {
    case Term::Operator::more: return value > term.bound;
    case Term::Operator::less: return value < term.bound;
    case Term::Operator::at_least: return value >= term.bound;
    case Term::Operator::at_most: return value <= term.bound;
    case Term::Operator::equals: return value >= term.bound && value < term.bound + term.unit;
  }
  return false;
}

bool contains(std::string_view text, std::string_view part) noexcept {
  const auto same = [](char a, char b) { return to_lower(a) == b; };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end() || part.empty();
}

Endpoint peer_of(const Subject& s) noexcept { return s.live != nullptr ? s.live->peer() : s.closed->peer(); }
Endpoint client_of(const Subject& s) noexcept { return s.live != nullptr ? s.live->client() : s.closed->client(); }
bool has_other_client(const Subject& s) noexcept {
  return s.live != nullptr ? s.live->cold.client_known : s.closed->client_known;
}
std::string_view target_of(const Subject& s) noexcept {
  return s.live != nullptr ? s.live->cold.target.view() : s.closed->target.view();
}
std::string_view sni_of(const Subject& s) noexcept {
  return s.live != nullptr ? s.live->cold.sni.view() : s.closed->sni.view();
}

/// `address` as it is shown; the pattern may leave its port out.
bool matches_address(std::string_view address, std::string_view pattern) noexcept {
  if (matches_pattern(address, pattern)) return true;
  const std::size_t colon = address.rfind(':');
  const bool has_port = colon != std::string_view::npos && (address.front() == '[' || address.find(':') == colon);
  if (!has_port) return false;
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return matches_pattern(host, pattern);
}

/// Insertions, deletions, replacements and neighbours swapped.
std::size_t typing_slips(std::string_view word, std::string_view candidate) {
  if (word.size() > candidate.size() + 2) return word.size() - candidate.size();
  const std::size_t width = candidate.size() + 1;
  std::vector<std::size_t> cost((word.size() + 1) * width);
  const auto at = [&cost, width](std::size_t i, std::size_t j) -> std::size_t& { return cost[i * width + j]; };
  const auto same = [&](std::size_t i, std::size_t j) { return to_lower(word[i]) == to_lower(candidate[j]); };
  for (std::size_t j = 0; j < width; ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= word.size(); ++i) {
    at(i, 0) = i;
    for (std::size_t j = 1; j < width; ++j) {
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same(i - 1, j - 1) ? 0U : 1U)});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1))
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return cost.back();
}

}  // namespace

bool matches_pattern(std::string_view text, std::string_view pattern) noexcept {
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == to_lower(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t least = 3;
  for (const std::string_view candidate : known) {
    const std::size_t distance = typing_slips(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

Query::Query(std::string_view text, Names names, Redaction redaction, Moment now)
    : names_{std::move(names)}, redaction_{redaction}, now_{now} {
  constexpr std::size_t kMostBytes = 2000;
  constexpr std::size_t kMostTerms = 32;
  if (text.size() > kMostBytes) {
    const std::size_t kept = characters(text.substr(0, kMostBytes));
    refuse({kept, characters(text) - kept, "More than " + std::to_string(kMostBytes) + " bytes"});
  }
  for (const Token& token : split(text)) {
    if (terms_.size() == kMostTerms) {
      refuse({token.start, characters(token.raw), "More than " + std::to_string(kMostTerms) + " terms"});
    }
    terms_.push_back(read_term(token, names_));
  }
}

bool Query::needs_rate() const noexcept {
  return std::any_of(terms_.begin(), terms_.end(), [](const Term& term) {
    return term.kind != Term::Kind::bare && (term.field == QueryField::in_rate || term.field == QueryField::out_rate);
  });
}

bool Query::holds(const Term& term, const Subject& subject) const {
  switch (term.kind) {
    case Term::Kind::bare:
      return contains(shown_target(target_of(subject), redaction_), term.pattern) ||
             contains(shown_peer(peer_of(subject), redaction_), term.pattern) ||
             (has_other_client(subject) && contains(shown_client(client_of(subject), redaction_), term.pattern));
    case Term::Kind::word: {
      const auto index = word_value(term.field, subject);
      return index && *index < term.words.size() && term.words[*index];
    }
    case Term::Kind::number: {
      const auto value = number_value(term.field, subject, now_);
      return value && compare(term, *value);
    }
    case Term::Kind::text: break;
  }
  switch (term.field) {
    case QueryField::id:
      return matches_pattern(to_string(subject.live != nullptr ? subject.live->id : subject.closed->id()),
                             term.pattern);
    case QueryField::peer: return matches_address(shown_peer(peer_of(subject), redaction_), term.pattern);
    case QueryField::client: return matches_address(shown_client(client_of(subject), redaction_), term.pattern);
    case QueryField::sni: return !sni_of(subject).empty() && matches_pattern(sni_of(subject), term.pattern);
    case QueryField::target: {
      const std::string target = shown_target(target_of(subject), redaction_);
      return !target.empty() && matches_pattern(target, term.pattern);
    }
    default: break;
  }
  const auto value = number_value(term.field, subject, now_);
  return value && matches_pattern(std::to_string(static_cast<std::int64_t>(*value)), term.pattern);
}

bool Query::matches(const Subject& subject) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& term) { return holds(term, subject) != term.is_negated; });
}

std::optional<std::size_t> Query::only_failure(const Subject& subject) const {
  std::optional<std::size_t> failed;
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    if (holds(terms_[i], subject) != terms_[i].is_negated) continue;
    if (failed) return std::nullopt;
    failed = i;
  }
  return failed;
}

}  // namespace equinox::admin
