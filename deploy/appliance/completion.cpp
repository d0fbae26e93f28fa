#include <fmt/format.h>

#include <string>
#include <vector>

#include "commands.hpp"

namespace equinox::appliance {
namespace {

struct Command {
  std::string name;
  std::string help;
  std::vector<std::pair<std::string, std::string>> options;  ///< "--flag", help
};

/// A shell's single-quoted string.
std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return out + "'";
}

std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> out;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    Command command{sub->get_name(), sub->get_description(), {}};
    for (const CLI::Option* option : sub->get_options([](const CLI::Option*) { return true; })) {
      for (const std::string& name : option->get_lnames()) {
        command.options.emplace_back("--" + name, option->get_description());
      }
    }
    out.push_back(std::move(command));
  }
  return out;
}

void bash(const std::vector<Command>& commands) {
  std::string names;
  std::string cases;
  for (const Command& command : commands) {
    names += " " + command.name;
    std::string flags;
    for (const auto& [flag, help] : command.options) flags += " " + flag;
    cases += fmt::format("    {}) words={};;\n", command.name, quote(flags.substr(flags.empty() ? 0 : 1)));
  }
  fmt::print(R"(# bash completion for equinox
_equinox() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words={}
  case ${{COMP_WORDS[COMP_CWORD-1]}} in
    --config|--tls-cert|--tls-key|--access-log|--token-file|--ca-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return;;
    --root) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return;;
    --role) mapfile -t COMPREPLY < <(compgen -W 'viewer operator admin' -- "$current"); return;;
    --log-format) mapfile -t COMPREPLY < <(compgen -W 'auto text json' -- "$current"); return;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W 'debug info warn error off' -- "$current"); return;;
    completion) mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- "$current"); return;;
  esac
  [ "$COMP_CWORD" -gt 1 ] && case ${{COMP_WORDS[1]}} in
{}  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _equinox equinox
)",
             quote(names.substr(1)), cases);
}

/// Colons and brackets mean something in _arguments.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '[' || c == ']' || c == ':' ? std::string{"\\"} + c : std::string(1, c);
  return out;
}

void zsh(const std::vector<Command>& commands) {
  std::string list;
  std::string cases;
  for (const Command& command : commands) {
    list += fmt::format("    {}\n", quote(zsh_text(command.name) + ":" + command.help));
    cases += fmt::format("    {}) _arguments", command.name);
    for (const auto& [flag, help] : command.options) {
      cases += " \\\n      " + quote(fmt::format("*{}[{}]", flag, zsh_text(help)));
    }
    cases += " '*:argument:_files';;\n";
  }
  fmt::print(R"(#compdef equinox
_equinox() {{
  local -a commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
_equinox "$@"
)",
             list, cases);
}

void fish(const std::vector<Command>& commands) {
  fmt::print("# fish completion for equinox\ncomplete -c equinox -f\n");
  for (const Command& command : commands) {
    fmt::print("complete -c equinox -n __fish_use_subcommand -a {} -d {}\n", command.name, quote(command.help));
    for (const auto& [flag, help] : command.options) {
      const bool takes_file = flag == "--config" || flag == "--root" || flag.ends_with("-file") ||
                              flag.ends_with("-cert") || flag.ends_with("-key") || flag == "--access-log";
      fmt::print("complete -c equinox -n '__fish_seen_subcommand_from {}' -l {} -d {}{}\n", command.name,
                 flag.substr(2), quote(help), takes_file ? " -r -F" : "");
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
