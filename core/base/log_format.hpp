#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/log_record.hpp"

namespace equinox {

/// Appends `bytes` so that it can stand in a quoted text line: < 0x20, 0x7f and ≥ 0x80 become \xHH (\n, \r, \t by
/// name), quotes and backslashes are escaped.
void append_text_escaped(std::string& out, std::string_view bytes);
/// The same for text outside of quotes: quotes and backslashes stay as they are.
void append_controls_escaped(std::string& out, std::string_view bytes);
/// Appends `bytes` as the inside of a JSON string (RFC 8259 §7): valid UTF-8 stays, any other byte becomes the four
/// characters \xHH; 0x7f is escaped too.
void append_json_escaped(std::string& out, std::string_view bytes);

/// Appends the value of a field as JSON has numbers and booleans, and text as it is: escape it before it is shown.
void append_value(std::string& out, const LogRecord::Field& field);
/// Appends ` key=value …`; values with blanks, quotes or escapes are quoted.
void append_text_fields(std::string& out, const LogRecord& record);
/// Appends one JSON object without '\n': {"time":"…Z","level":"info","component":"server","message":"…",fields…}.
void append_json(std::string& out, const LogRecord& record);
/// Appends "2024-05-06T07:08:09.123Z".
void append_time(std::string& out, std::chrono::system_clock::time_point at);

}  // namespace equinox
