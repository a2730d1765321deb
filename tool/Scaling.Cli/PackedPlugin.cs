// describe-plugin: what packing the tool writes down of a plugin that travels as a package of its own. A hidden verb.
using Scaling.Engine.Execution;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class PackedPlugin
{
    /// <summary>Prints <c>plugin.json</c> of a built plugin, whose package has the tool's version.</summary>
    /// <param name="assembly">Path of its main assembly.</param>
    public static async Task<int> Describe(string assembly)
    {
        string store = Path.Combine(Path.GetTempPath(), $"describe-plugin-{Guid.NewGuid():n}");
        try
        {
            using var session = Session.Open(store, CommandConsole.For(moves: false));
            var description = await session.Catalog.DescribePackage(Path.GetFullPath(assembly), Session.ToolVersion).ConfigureAwait(false);
            Console.Out.WriteLine(description.ToJson());
            return ExitCode.Done;
        }
        catch (StageFailedException e)
        {
            return Commands.Report(e, interrupted: false);
        }
        finally
        {
            Directory.Delete(store, recursive: true);
        }
    }
}
