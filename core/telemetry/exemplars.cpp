#include "telemetry/exemplars.hpp"

namespace equinox::telemetry {

void ExemplarCells::store(const ReactorStats::Placed& placed, const RequestSample& sample) noexcept {
  Exemplar exemplar;
  exemplar.series = placed.series;
  exemplar.bucket = placed.bucket();
  exemplar.value_ns = sample.total_ns > 0 ? static_cast<std::uint64_t>(sample.total_ns) : 0;
  exemplar.at_wall_ns = sample.wall_ns;
  exemplar.connection = sample.connection.packed();
  exemplar.stream = sample.stream;
  exemplar.request_id.assign(sample.request_id);
  exemplar.trace_id.assign(sample.trace_id);
  slots_[placed.bucket()].write(exemplar);
}

void ExemplarCells::append_to(std::vector<Exemplar>& into) const {
  for (const auto& slot : slots_) {
    Exemplar exemplar;
    if (slot.read(exemplar)) into.push_back(exemplar);
  }
}

}  // namespace equinox::telemetry
