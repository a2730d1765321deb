// dotnet scaling: the console's entrance.
using Scaling.Cli;
using Scaling.Engine.Workers;

return args is ["worker", var requests, var replies, var store] ? WorkerHost.Main(requests, replies, store) : await Commands.Invoke(args).ConfigureAwait(false);
