#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "admin-ui/api/token_rules.hpp"
#include "commands.hpp"
#include "config_keys.hpp"

namespace equinox::appliance {
namespace {

/// What stands behind an option.
enum class Value : std::uint8_t { none, words, file, folder, other };

struct Flag {
  std::string name;  ///< "--flag"
  std::string help;
  Value value{Value::none};
  std::string words;  ///< the values it takes, a blank between them
};

struct Command {
  std::string name;
  std::string help;
  std::vector<Flag> flags;
};

/// A shell's single-quoted string.
std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return out + "'";
}

/// The words of the key that an option sets, or of the option itself.
std::string words_of(std::string_view flag) {
  if (flag == "--role") return fmt::format("{}", fmt::join(admin::kRoles, " "));
  for (const KeySpec& key : config_keys()) {
    if (key.flag != flag || key.type != KeyType::choice) continue;
    std::string words{key.words};
    std::replace(words.begin(), words.end(), '|', ' ');
    return words;
  }
  return {};
}

Flag flag_of(const std::string& name, const CLI::Option& option) {
  Flag flag{name, option.get_description(), Value::other, words_of(name)};
  if (option.get_items_expected_max() == 0) {
    flag.value = Value::none;
  } else if (!flag.words.empty()) {
    flag.value = Value::words;
  } else if (option.get_type_name() == "FILE" || name == "--access-log") {
    flag.value = Value::file;
  } else if (option.get_type_name() == "DIR") {
    flag.value = Value::folder;
  }
  return flag;
}

Command command_of(const CLI::App& app) {
  Command command{app.get_name(), app.get_description(), {}};
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    for (const std::string& name : option->get_lnames()) command.flags.push_back(flag_of("--" + name, *option));
  }
  return command;
}

/// All of them; the first is what can be said without a command.
std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> out{command_of(app)};
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) out.push_back(command_of(*sub));
  return out;
}

std::string flag_names(const Command& command) {
  std::string names;
  for (const Flag& flag : command.flags) names.append(names.empty() ? "" : " ").append(flag.name);
  return names;
}

/// What `compgen` offers behind an option.
std::string bash_offer(const Flag& flag) {
  switch (flag.value) {
    case Value::file: return "-f";
    case Value::folder: return "-d";
    case Value::words: return "-W " + quote(flag.words);
    default: return "-W ''";
  }
}

/// What to offer behind the options that take a value: lines of a case statement.
std::string bash_values(const std::vector<Command>& commands) {
  std::map<std::string, std::set<std::string>> flags_of;  // by what is offered; commands share options
  for (const Command& command : commands) {
    for (const Flag& flag : command.flags) {
      if (flag.value != Value::none) flags_of[bash_offer(flag)].insert(flag.name);
    }
  }
  std::string lines;
  for (const auto& [offer, flags] : flags_of) {
    lines += fmt::format("    {}) mapfile -t COMPREPLY < <(compgen {} -- \"$current\"); return;;\n",
                         fmt::join(flags, "|"), offer);
  }
  return lines;
}

void bash(const std::vector<Command>& commands) {
  std::string names;
  std::string cases;
  for (std::size_t i = 1; i < commands.size(); ++i) {
    names.append(names.empty() ? "" : " ").append(commands[i].name);
    cases += fmt::format("      {}) words={}; break;;\n", commands[i].name, quote(flag_names(commands[i])));
  }
  fmt::print(R"(# bash completion for equinox
_equinox() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words={} word
  [[ $current == -* ]] && words={}
  case ${{COMP_WORDS[COMP_CWORD-1]}} in
{}    completion) mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- "$current"); return;;
  esac
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in
{}    esac
  done
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _equinox equinox
)",
             quote(names), quote(flag_names(commands.front())), bash_values(commands), cases);
}

/// Colons and brackets mean something in _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '[' || c == ']' || c == ':' ? std::string{"\\"} + c : std::string(1, c);
  return out;
}

/// "--flag[help]" and what stands behind it, as _arguments takes it.
std::string zsh_flag(const Flag& flag) {
  std::string out = fmt::format("*{}[{}]", flag.name, zsh_text(flag.help));
  switch (flag.value) {
    case Value::none: break;
    case Value::words: out += fmt::format(":value:({})", flag.words); break;
    case Value::file: out += ":file:_files"; break;
    case Value::folder: out += ":folder:_files -/"; break;
    case Value::other: out += ":value: "; break;
  }
  return out;
}

std::string zsh_arguments(const Command& command) {
  std::string out = "_arguments";
  for (const Flag& flag : command.flags) out += " \\\n      " + quote(zsh_flag(flag));
  return out + (command.name == "completion" ? " '1:shell:(bash zsh fish)'" : " '*:argument:_files'");
}

void zsh(const std::vector<Command>& commands) {
  std::string list;
  std::string cases;
  for (std::size_t i = 1; i < commands.size(); ++i) {
    list += fmt::format("    {}\n", quote(zsh_text(commands[i].name) + ":" + commands[i].help));
    cases += fmt::format("    {}) {};;\n", commands[i].name, zsh_arguments(commands[i]));
  }
  cases += fmt::format("    -*) {};;\n", zsh_arguments(commands.front()));
  fmt::print(R"(#compdef equinox
_equinox() {{
  local -a commands=(
{}  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    return
  fi
  local command=$words[2]
  if [[ $command != -* ]]; then
    shift words
    (( CURRENT-- ))
  fi
  case $command in
{}  esac
}}
_equinox "$@"
)",
             list, cases);
}

/// What stands behind an option, as options of `complete`.
std::string fish_value(const Flag& flag) {
  switch (flag.value) {
    case Value::none: break;
    case Value::words: return " -x -a " + quote(flag.words);
    case Value::file: return " -r -F";
    case Value::folder: return " -x -a '(__fish_complete_directories)'";
    case Value::other: return " -x";
  }
  return {};
}

void fish(const std::vector<Command>& commands) {
  fmt::print("# fish completion for equinox\ncomplete -c equinox -f\n");
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Command& command = commands[i];
    const std::string place = i == 0 ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + command.name;
    if (i != 0) {
      fmt::print("complete -c equinox -n __fish_use_subcommand -a {} -d {}\n", command.name, quote(command.help));
    }
    for (const Flag& flag : command.flags) {
      fmt::print("complete -c equinox -n {} -l {} -d {}{}\n", quote(place), flag.name.substr(2), quote(flag.help),
                 fish_value(flag));
    }
  }
  fmt::print("complete -c equinox -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n");
}

}  // namespace

int run_completion(const Options& options, const CLI::App& app) {
  const auto commands = commands_of(app);
  if (options.shell == "bash") bash(commands);
  if (options.shell == "zsh") zsh(commands);
  if (options.shell == "fish") fish(commands);
  return 0;
}

}  // namespace equinox::appliance
