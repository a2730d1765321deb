// dotnet scaling: the console's entrance.
using Scaling.Cli;
using Scaling.Engine.Workers;

if (args is not (["worker", ..] or ["describe-plugin", ..]))
{
    CompiledTool.Become(args);

    // Regular expressions of a library would be compiled by emitting code, which takes longer than all that they are asked. Workers keep it: a stage may want it.
    AppContext.SetSwitch("System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported", false);
}
return args switch
{
    ["worker", var requests, var replies, var store] => WorkerHost.Main(requests, replies, store),
    ["task", var folder, var store] => await TaskCommand.Run(folder, store).ConfigureAwait(false),
    ["describe-plugin", var assembly] => await PackedPlugin.Describe(assembly).ConfigureAwait(false),
    _ => await Commands.Invoke(args).ConfigureAwait(false),
};
