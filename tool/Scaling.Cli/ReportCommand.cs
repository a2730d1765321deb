// report: the report of the last run, as text that a terminal and a pull request show; or two runs beside each other.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Store;

namespace Scaling.Cli;

internal static class ReportCommand
{
    /// <summary>The result that a stage gives for it.</summary>
    public const string Markdown = "report.md";

    /// <summary>The same with figures.</summary>
    private const string Html = "report.html";

    public static Task<int> Run(Commands.Invocation call)
    {
        if (call.Compared is [var a, var b])
        {
            return CompareCommand.Run(call, a, b);
        }

        using var store = ContentStore.Open(call.StoreFolder, finding => CommandConsole.Print([finding]));
        string pipeline = Path.GetFullPath(call.Pipeline);
        if (new RunHistory(store, pipeline).Last is not { } last)
        {
            throw new UsageException("SCAL1056", $"{call.Pipeline} has not run with this store ({store.Root}).", $"'dotnet scaling run {call.Pipeline}' makes its report.");
        }

        RecordedResult[] reports = [.. last.Results.Where(r => Path.GetFileName(r.Path) is Markdown or Html)];
        if (reports.Length == 0)
        {
            throw new UsageException("SCAL1057", $"The last run of {call.Pipeline} left no report: none of its stages gave {Markdown}.", "A stage that uses 'export' does.");
        }

        string[] paths = [.. reports.Select(r => Path.Combine(last.ResultsFolder, r.Path))];
        if (paths.FirstOrDefault(p => !File.Exists(p)) is { } gone)
        {
            throw new UsageException("SCAL1058", $"The report of the last run is gone: {gone}.", $"'dotnet scaling run {call.Pipeline}' writes it again, and executes nothing for that.");
        }

        if (call.Json)
        {
            JsonText.Print("scaling.report/1", new JsonObject
            {
                ["pipeline"] = last.Pipeline, ["path"] = pipeline, ["run"] = last.Number,
                ["reports"] = new JsonArray([.. paths.Select(p => new JsonObject { ["name"] = Path.GetFileName(p), ["path"] = p })]),
            });
            return Task.FromResult(ExitCode.Done);
        }

        foreach (string path in paths)
        {
            if (Path.GetFileName(path) == Markdown)
            {
                Console.Out.Write(File.ReadAllText(path));
            }

            Console.Error.WriteLine($"Report: {path}");
        }

        return Task.FromResult(ExitCode.Done);
    }
}
