#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "commands.hpp"
#include "options.hpp"
#include "standard_streams.hpp"

namespace {

using namespace equinox::appliance;

int run(const CLI::App& app, const Options& options) {
  if (app.got_subcommand("check")) return run_check(options);
  if (app.got_subcommand("conns")) return run_conns(options);
  if (app.got_subcommand("why")) return run_why(options);
  if (app.got_subcommand("close")) return run_close(options);
  if (app.got_subcommand("top")) return run_top(options);
  if (app.got_subcommand("drain")) return run_drain(options);
  if (app.got_subcommand("undrain")) return run_undrain(options);
  if (app.got_subcommand("token")) return run_token(options);
  if (app.got_subcommand("probe")) return run_probe(options);
  if (app.got_subcommand("completion")) return run_completion(options, app);
  if (app.got_subcommand("version")) return run_version();
  return run_serve(options);
}

}  // namespace

int main(int argc, char** argv) try {
  hold_standard_streams();
  // glibc would raise it with the first large block that is freed, and keep what a burst of large answers took.
  ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  Options options;
  const auto app = make_command_line(options);
  try {
    parse_command_line(*app, {argv + std::min(argc, 1), argv + argc});
  } catch (const CLI::ParseError& mistake) {
    return flush_output(app->exit(mistake) == 0 ? 0 : 2);  // help is none
  }
  return flush_output(run(*app, options));
} catch (const std::exception& failure) {
  std::fprintf(stderr, "equinox: %s\n", failure.what());
  return 1;
}
