#pragma once

namespace equinox::appliance {

/// Opens /dev/null in place of each closed one of standard input, output and error: else the next socket gets its
/// number, and what is written there, as the log, goes to a client. Before anything else is opened.
/// @throws std::system_error without a /dev/null
void hold_standard_streams();

/// Before the process ends: what was printed leaves its buffer. @return `status`, or 1 with a message on standard error
/// when not all of it could be written and `status` was 0
int flush_output(int status);

}  // namespace equinox::appliance
