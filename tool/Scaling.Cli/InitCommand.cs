// init: a first study to run, to read and to change.
using Scaling.Engine.Files;

namespace Scaling.Cli;

internal static class InitCommand
{
    /// <summary>Writes the study and the schema that its first line names; what is there already stays.</summary>
    public static async Task<int> Run(Commands.Invocation call)
    {
        string folder = Path.GetFullPath(call.InitFolder);
        string pipeline = Path.Combine(folder, Commands.UsualPipeline);
        if (File.Exists(pipeline))
        {
            throw new UsageException("SCAL1011", $"There is a {Commands.UsualPipeline} already ({pipeline}); it stays as it is.", "Run it with 'dotnet scaling run', or name another folder: 'dotnet scaling init FOLDER'.");
        }

        string schema = await LookCommands.SchemaText(call.StoreFolder).ConfigureAwait(false);
        Durable.Write(Path.Combine(folder, "pipeline.schema.json"), schema + "\n");
        Durable.Write(pipeline, Quickstart());
        string run = call.InitFolder == "." ? "dotnet scaling run" : $"dotnet scaling run {Path.Combine(call.InitFolder, Commands.UsualPipeline)}";
        Console.Error.WriteLine(
            $"""
            Wrote {pipeline} and the schema by which an editor completes it.
            It trains 48 small decoders on the documentation of your SDK, fits a law and picks a shape: minutes on two cores.
              {run}
            The first run fetches libtorch and what goes with it, 160 MB, where this machine does not have it yet. What would run, and why: dotnet scaling plan.
            """);
        return Engine.Execution.ExitCode.Done;
    }

    private static string Quickstart()
    {
        using var reader = new StreamReader(typeof(InitCommand).Assembly.GetManifestResourceStream("quickstart.yaml")!);
        return "# yaml-language-server: $schema=pipeline.schema.json\n" + reader.ReadToEnd();
    }
}
