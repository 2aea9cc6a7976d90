// `gaur run FILE... [--entry @f] [--] ARGS` and `gaur heap`: their options.
#include <memory>

#include "tools/gaur/run_program.h"
#include "tools/gaur/subcommands.h"

namespace gaur::tool {

namespace {

/// What `run` and `heap` have in common.
void addProgram(CLI::App* command, const std::shared_ptr<RunArguments>& arguments, Invocation& invocation) {
  command
      ->add_option("FILE", arguments->words,
                   "A boot image, or bundles (.uir) and HAIL scripts (.hail) in order, then the arguments of "
                   "the program")
      ->required();
  command->add_option("--entry", arguments->entry, "Function to call [that of the image, else @main]");
  command->add_flag("--elsewhere", arguments->elsewhere, "Do not map an image at the addresses it prefers");
  command->add_flag("--time", arguments->time, "Afterwards print where the time went to standard error");
  command
      ->add_option("--timeout", arguments->timeout,
                   "End the program after so many seconds, with status 124 and the backtraces of its threads "
                   "and stacks")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  command->add_flag("--json", invocation.json, "Diagnostics and times as JSON");
  addVmOptions(*command, invocation.options);
  command->callback([arguments, &invocation] { runProgram(*arguments, invocation); });
}

}  // namespace

void addHeap(CLI::App& app, Invocation& invocation) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command =
      app.add_subcommand("heap", "Run a program, and tell at its end what keeps code and cells alive");
  command
      ->add_option("--why", arguments->why,
                   "Function, version or global cell, by name or ID, or host function, by a name that is "
                   "bound to it, of "
                   "which to tell the shortest way from a root")
      ->required()
      ->type_name("@NAME")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  addProgram(command, arguments, invocation);
  command->footer(
      "The way is told to standard error, a line a step, the root first; also while the program runs, "
      "whenever the process gets SIGUSR1. What no client can unload and nothing has replaced stays for good, "
      "and is told to.");
}

void addRun(CLI::App& app, Invocation& invocation) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command =
      app.add_subcommand("run", "Run the entry of a boot image, or of bundles and HAIL scripts");
  addProgram(command, arguments, invocation);
  command->footer(
      "Words after -- are the program's, whatever they look like. The program ends when its entry returns; "
      "if "
      "the entry ends its thread, when all threads have ended. SIGQUIT prints the backtraces of all threads "
      "and "
      "stacks to standard error.");
}

}  // namespace gaur::tool
