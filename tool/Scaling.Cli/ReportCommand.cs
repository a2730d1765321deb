// report: the report of the last run, as text that a terminal and a pull request show.
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

        foreach (var report in reports)
        {
            string path = Path.Combine(last.ResultsFolder, report.Path);
            if (!File.Exists(path))
            {
                throw new UsageException("SCAL1058", $"The report of the last run is gone: {path}.", $"'dotnet scaling run {call.Pipeline}' writes it again, and executes nothing for that.");
            }

            if (Path.GetFileName(path) == Markdown)
            {
                Console.Out.Write(File.ReadAllText(path));
            }

            Console.Error.WriteLine($"Report: {path}");
        }

        return Task.FromResult(ExitCode.Done);
    }
}
