// dotnet scaling: the console's entrance.
using Scaling.Cli;
using Scaling.Engine.Workers;

return args switch
{
    ["worker", var requests, var replies, var store] => WorkerHost.Main(requests, replies, store),
    ["describe-plugin", var assembly] => await PackedPlugin.Describe(assembly).ConfigureAwait(false),
    _ => await Commands.Invoke(args).ConfigureAwait(false),
};
