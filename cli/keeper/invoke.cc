#include "cli/keeper/invoke.h"

#include <string>

namespace berth::cli {

Invocation::Params ToParams(const keeper::Invoke& invoke) {
  Invocation::Params params;
  params.args.assign(invoke.args().begin(), invoke.args().end());
  params.cwd = invoke.cwd();
  for (const keeper::Invoke::Variable& variable : invoke.environment()) {
    params.environment.Set(variable.name(), variable.value());
  }
  return params;
}

keeper::Invoke ToInvoke(const Invocation::Params& params) {
  keeper::Invoke invoke;
  for (const std::string& arg : params.args) invoke.add_args(arg);
  invoke.set_cwd(params.cwd);
  for (const auto& [name, value] : params.environment.variables()) {
    keeper::Invoke::Variable& variable = *invoke.add_environment();
    variable.set_name(name);
    variable.set_value(value);
  }
  return invoke;
}

}  // namespace berth::cli
