#pragma once

#include <CLI/CLI.hpp>

#include "options.hpp"

/// One function per command; each returns the exit status of the process.
namespace equinox::appliance {

int run_serve(const Options& options);
int run_check(const Options& options);
int run_token(const Options& options);
int run_completion(const Options& options, const CLI::App& app);
int run_version();

int run_conns(const Options& options);
int run_why(const Options& options);
int run_close(const Options& options);
int run_top(const Options& options);
int run_drain(const Options& options);
int run_undrain(const Options& options);
int run_probe(const Options& options);

}  // namespace equinox::appliance
