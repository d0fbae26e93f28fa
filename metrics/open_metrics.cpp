#include "metrics/open_metrics.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "metrics/metric_names.hpp"

namespace equinox::metrics {

namespace {

constexpr std::string_view kTotal = "_total";
/// OpenMetrics 1.0: names and values of an exemplar's labels together, in characters.
constexpr std::size_t kExemplarMax = 128;

void number(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
  }
}

/// Canonical numbers of the specification: "1.0", not "1"; else as the text format writes them, so that a query finds
/// the same `le` whichever format was scraped: to_chars prefers 1e-04 to 0.0001 when it may choose.
void edge(double value, std::string& out) {
  const auto begin = out.size();
  if (std::isfinite(value)) {
    constexpr int kDigits = std::numeric_limits<double>::max_digits10 - 1;
    std::array<char, 32> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, kDigits).ptr;
    out.append(text.data(), end);
  } else {
    number(value, out);
  }
  if (std::isfinite(value) && out.find_first_of(".e", begin) == std::string::npos) out += ".0";
}

void integer(std::uint64_t value, std::string& out) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

void escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
}

/// The labels without braces; an exposition repeats them on each line of a histogram.
std::string label_text(const prometheus::ClientMetric& metric) {
  std::string out;
  for (const auto& label : metric.label) {
    if (!out.empty()) out += ',';
    out += label.name;
    out += "=\"";
    escaped(label.value, out);
    out += '"';
  }
  return out;
}

void sample_name(std::string_view name, std::string_view suffix, std::string_view labels, std::string& out) {
  out += name;
  out += suffix;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
}

std::string_view type_name(prometheus::MetricType type) noexcept {
  switch (type) {
    case prometheus::MetricType::Counter: return "counter";
    case prometheus::MetricType::Gauge: return "gauge";
    case prometheus::MetricType::Summary: return "summary";
    case prometheus::MetricType::Histogram: return "histogram";
    case prometheus::MetricType::Untyped: break;
  }
  return "unknown";
}

void exemplar_label(std::string_view name, std::string_view value, std::size_t& room, std::string& out) {
  if (value.empty() || name.size() + value.size() > room) return;
  room -= name.size() + value.size();
  if (out.back() != '{') out += ',';
  out += name;
  out += "=\"";
  escaped(value, out);
  out += '"';
}

void write_exemplar(const Exemplar& exemplar, std::string& out) {
  std::size_t room = kExemplarMax;
  out += " # {";
  exemplar_label("trace_id", exemplar.trace_id.view(), room, out);
  exemplar_label("connection_id", to_string(ConnectionId::unpack(exemplar.connection)), room, out);
  exemplar_label("request_id", exemplar.request_id.view(), room, out);
  out += "} ";
  number(static_cast<double>(exemplar.value_ns) / 1e9, out);
  out += ' ';
  // Milliseconds are enough, and a double of Unix nanoseconds is no more precise than that looks.
  const auto milliseconds = static_cast<std::uint64_t>(exemplar.at_wall_ns / 1'000'000);
  integer(milliseconds / 1000, out);
  out += '.';
  const auto rest = milliseconds % 1000;
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

void write_histogram(std::string_view name, std::string_view labels, const prometheus::ClientMetric& metric,
                     std::span<const PlacedExemplar> exemplars, std::string& out) {
  std::size_t next = 0;
  bool has_infinity = false;
  for (std::size_t i = 0; i < metric.histogram.bucket.size(); ++i) {
    const auto& bucket = metric.histogram.bucket[i];
    has_infinity = has_infinity || std::isinf(bucket.upper_bound);
    out += name;
    out += "_bucket{";
    out += labels;
    if (!labels.empty()) out += ',';
    out += "le=\"";
    edge(bucket.upper_bound, out);
    out += "\"} ";
    integer(bucket.cumulative_count, out);
    while (next < exemplars.size() && exemplars[next].bucket < i) ++next;
    if (next < exemplars.size() && exemplars[next].bucket == i) write_exemplar(exemplars[next].exemplar, out);
    out += '\n';
  }
  if (!has_infinity) {  // an appended registry may leave it out
    out += name;
    out += "_bucket{";
    out += labels;
    if (!labels.empty()) out += ',';
    out += "le=\"+Inf\"} ";
    integer(metric.histogram.sample_count, out);
    out += '\n';
  }
  sample_name(name, "_sum", labels, out);
  number(metric.histogram.sample_sum, out);
  out += '\n';
  sample_name(name, "_count", labels, out);
  integer(metric.histogram.sample_count, out);
  out += '\n';
}

void write_summary(std::string_view name, std::string_view labels, const prometheus::ClientMetric& metric,
                   std::string& out) {
  for (const auto& entry : metric.summary.quantile) {
    out += name;
    out += '{';
    out += labels;
    if (!labels.empty()) out += ',';
    out += "quantile=\"";
    edge(entry.quantile, out);
    out += "\"} ";
    number(entry.value, out);
    out += '\n';
  }
  sample_name(name, "_sum", labels, out);
  number(metric.summary.sample_sum, out);
  out += '\n';
  sample_name(name, "_count", labels, out);
  integer(metric.summary.sample_count, out);
  out += '\n';
}

void write_head(const prometheus::MetricFamily& family, std::string_view name, std::string& out) {
  out += "# TYPE ";
  out += name;
  out += ' ';
  out += type_name(family.type);
  out += '\n';
  const auto* info = find_metric(family.name);
  // A unit must be the end of the family's name.
  if (info != nullptr && !info->unit.empty() && name.ends_with(info->unit)) {
    out += "# UNIT ";
    out += name;
    out += ' ';
    out += info->unit;
    out += '\n';
  }
  if (!family.help.empty()) {
    out += "# HELP ";
    out += name;
    out += ' ';
    escaped(family.help, out);
    out += '\n';
  }
}

}  // namespace

void write_open_metrics(const prometheus::MetricFamily& family, std::span<const PlacedExemplar> exemplars,
                        std::string& out) {
  std::string_view name = family.name;
  const bool is_counter = family.type == prometheus::MetricType::Counter;
  if (is_counter && name.ends_with(kTotal)) name.remove_suffix(kTotal.size());
  write_head(family, name, out);
  std::size_t next = 0;
  for (std::size_t i = 0; i < family.metric.size(); ++i) {
    const auto& metric = family.metric[i];
    const auto labels = label_text(metric);
    while (next < exemplars.size() && exemplars[next].metric < i) ++next;
    auto end = next;
    while (end < exemplars.size() && exemplars[end].metric == i) ++end;
    if (family.type == prometheus::MetricType::Histogram) {
      write_histogram(name, labels, metric, exemplars.subspan(next, end - next), out);
    } else if (family.type == prometheus::MetricType::Summary) {
      write_summary(name, labels, metric, out);
    } else {
      sample_name(name, is_counter ? kTotal : std::string_view{}, labels, out);
      number(is_counter                                     ? metric.counter.value
             : family.type == prometheus::MetricType::Gauge ? metric.gauge.value
                                                            : metric.untyped.value,
             out);
      out += '\n';
    }
    next = end;
  }
}

}  // namespace equinox::metrics
