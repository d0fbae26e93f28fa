#include "http/http1_engine.hpp"

#ifdef EQUINOX_LLHTTP_SSE42
extern "C" int llhttp_sse42_internal_execute(llhttp__internal_t* state, const char* first, const char* last);
#endif

namespace equinox::http {

Http1Engine portable_engine() noexcept { return llhttp__internal_execute; }

Http1Engine best_engine() noexcept {
#ifdef EQUINOX_LLHTTP_SSE42
  static const Http1Engine kBest =
      __builtin_cpu_supports("sse4.2") ? llhttp_sse42_internal_execute : llhttp__internal_execute;
  return kBest;
#else
  return portable_engine();
#endif
}

}  // namespace equinox::http
