// dotnet scaling: the console's entrance.
using Scaling.Cli;
using Scaling.Engine.Workers;

return args is ["worker", .. var rest] ? WorkerHost.Main(rest) : await Commands.Invoke(args).ConfigureAwait(false);
