// cache gc, verify, stats: what the store holds, whether it is whole, and what of it may go.
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class CacheCommands
{
    private static readonly Option<string?> OlderThan = new("--older-than") { Description = "Also what no run of that time used: a number and s, m, h or d, a year at most, such as 30d. Default: what a recorded run uses stays.", HelpName = "time" };
    private static readonly Option<string?> MaxSize = new("--max-size") { Description = "Also what was used least recently, until so much is left: bytes, or with K, M, G or T for thousands, millions …, such as 50G. Default: no limit.", HelpName = "size" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would go." };
    private static readonly Option<bool> Json = new("--json") { Description = "Answer with one JSON object on standard output." };

    /// <summary>The command with those below it.</summary>
    public static Command Command { get; } = new("cache", "The store: what it holds, whether it is whole, what of it may go, and what it exchanges with remote caches.")
    {
        Of("gc", "Remove what no recorded run uses, saying what making it again would cost. Runs that go on lose nothing.", [OlderThan, MaxSize, DryRun, Json], Collect),
        Of("verify", "Read every byte of the store and move aside what is damaged (exit code 4 where something is).", [Json], Verify),
        Of("stats", "Say what the store holds.", [Json], Statistics),
        RemoteCommands.Push,
        RemoteCommands.Pull,
        RemoteCommands.Keygen,
    };

    private static Command Of(string name, string description, Option[] options, Func<Commands.Invocation, Task<int>> run)
    {
        var command = new Command(name, description);
        Array.ForEach(options, command.Options.Add);
        command.SetAction((parsed, stop) => run(new Commands.Invocation(parsed, stop)));
        return command;
    }

    private static async Task<int> Collect(Commands.Invocation call)
    {
        var options = new GarbageOptions(Age(call.Parsed.GetValue(OlderThan)), Size(call.Parsed.GetValue(MaxSize)), call.Parsed.GetValue(DryRun));
        using var store = Open(call, Report);
        var report = await new GarbageCollector(store, TimeProvider.System).Run(options, Console.Error.WriteLine, call.Stop).ConfigureAwait(false);
        if (call.Parsed.GetValue(Json))
        {
            JsonText.Print("scaling.cache-gc/1", new JsonObject
            {
                ["dry_run"] = options.DryRun,
                ["freed_bytes"] = report.FreedBytes,
                ["compute_seconds"] = Math.Round(report.Seconds, 3),
                ["stages"] = new JsonArray([.. report.Stages.Select(s => Stage(s.Stage, s.Entries, s.Bytes, s.Seconds))]),
                ["orphans"] = Counted(report.Blobs, report.BlobBytes),
                ["leftovers"] = Counted(report.Leftovers, report.LeftoverBytes),
                ["kept"] = Counted(report.KeptEntries, report.KeptBytes),
                ["in_use"] = report.InUse,
            });
            return ExitCode.Done;
        }

        string goes = options.DryRun ? "Would remove" : "Removed";
        foreach (var stage in report.Stages)
        {
            Say($"{stage.Stage,-16} {stage.Entries,8} {Entries(stage.Entries),-8} {ByteCount.Text(stage.Bytes),10}   {Cost(stage.Seconds)}");
        }

        Line("orphaned files", report.Blobs, report.BlobBytes, "nothing refers to them");
        Line("leftovers", report.Leftovers, report.LeftoverBytes, "of runs that were ended, old logs and damage");
        Say($"{goes} {ByteCount.Text(report.FreedBytes)}; making it again would take {PriceOf(report.Seconds)}.");
        string inUse = report.InUse > 0 ? $", {report.InUse} of them in use by runs that go on" : "";
        Say($"{(options.DryRun ? "Would keep" : "Kept")} {report.KeptEntries} {Entries(report.KeptEntries)}{inUse}, {ByteCount.Text(report.KeptBytes)}.");
        return ExitCode.Done;
    }

    private static Task<int> Verify(Commands.Invocation call)
    {
        var console = CommandConsole.For(moves: true);
        long began = TimeProvider.System.GetTimestamp();
        string root = Open(call, _ => { }).Root;
        var found = new StoreCheck(root).Run((done, all) => console.Moving(Progress(done, all, TimeProvider.System.GetElapsedTime(began))), call.Stop);
        Diagnostic[] damaged = [.. found.Damaged.Select(d => d with { Severity = Severity.Error })]; // A warning where a run makes it again; here it is what was looked for.
        Array.ForEach(damaged, console.FoundDamage);
        foreach (var (key, stage, file) in found.Gone)
        {
            console.Found(new Diagnostic("SCAL4012", $"The entry {key[..12]} ({stage}) lacks its file {file}; the next run that needs it makes it again."));
        }

        if (call.Parsed.GetValue(Json))
        {
            JsonText.Print("scaling.cache-verify/1", new JsonObject
            {
                ["whole"] = found.AreNone,
                ["entries"] = found.Entries,
                ["blobs"] = found.Blobs,
                ["records"] = found.Records,
                ["bytes"] = found.Bytes,
                ["damaged"] = JsonText.Of(damaged),
                ["gone"] = new JsonArray([.. found.Gone.Select(g => new JsonObject { ["key"] = g.Key, ["uses"] = g.Stage, ["name"] = g.File })]),
            });
        }
        else
        {
            Say($"Read {found.Entries} {Entries(found.Entries)}, {found.Blobs} {(found.Blobs == 1 ? "blob" : "blobs")} and {found.Records} {(found.Records == 1 ? "record" : "records")} of runs, {ByteCount.Text(found.Bytes)}: "
                + (found.AreNone ? "all whole." : $"{found.Damaged.Count} damaged, {found.Gone.Count} with files that are gone."));
        }

        return Task.FromResult(found.AreNone ? ExitCode.Done : ExitCode.Integrity);
    }

    private static Task<int> Statistics(Commands.Invocation call)
    {
        using var store = Open(call, Report);
        var held = StoreStatistics.Of(store);
        if (call.Parsed.GetValue(Json))
        {
            JsonText.Print("scaling.cache-stats/1", new JsonObject
            {
                ["store"] = store.Root,
                ["entries"] = Counted(held.Entries, held.EntryBytes),
                ["blobs"] = Counted(held.Blobs, held.BlobBytes),
                ["compute_seconds"] = Math.Round(held.Seconds, 3),
                ["stages"] = new JsonArray([.. held.Stages.Select(s => Stage(s.Stage, s.Entries, s.Bytes, s.Seconds))]),
                ["others"] = new JsonObject(held.Others.Select(o => KeyValuePair.Create(o.Folder, (JsonNode?)Counted(o.Files, o.Bytes)))),
            });
            return Task.FromResult(ExitCode.Done);
        }

        foreach (var stage in held.Stages)
        {
            Say($"{stage.Stage,-16} {stage.Entries,8} {Entries(stage.Entries),-8} {ByteCount.Text(stage.Bytes),10}   {Cost(stage.Seconds)}");
        }

        foreach (var (_, holds, bytes, files) in held.Others)
        {
            Line(holds, files, bytes, "");
        }

        Say($"{held.Entries} {Entries(held.Entries)} and {held.Blobs} {(held.Blobs == 1 ? "blob" : "blobs")} in {store.Root}: {ByteCount.Text(held.EntryBytes + held.BlobBytes)}, which took {PriceOf(held.Seconds)}.");
        return Task.FromResult(ExitCode.Done);
    }

    /// <summary>A store that is there: a command that cleans or checks makes none.</summary>
    private static ContentStore Open(Commands.Invocation call, Action<Diagnostic> report) => Directory.Exists(call.StoreFolder)
        ? ContentStore.Open(call.StoreFolder, report)
        : throw new UsageException("SCAL1030", $"There is no store at {Path.GetFullPath(call.StoreFolder)}.", "Name its folder with --cache or SCALING_CACHE; the first run makes one.");

    private static TimeSpan? Age(string? text) => text is null ? null
        : Duration.TryParse(text, out var age) ? age
        : throw new UsageException("SCAL1031", $"--older-than takes a time of at most a year, found '{text}'.", "For example 30d or 12h.");

    private static long? Size(string? text)
    {
        if (text is null)
        {
            return null;
        }

        int power = text.Length < 2 ? -1 : " KMGT".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal);
        string number = power > 0 ? text[..^1] : text;
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count) && count * Math.Pow(1000, Math.Max(0, power)) is >= 0 and < 9e18 and var bytes
            ? (long)bytes
            : throw new UsageException("SCAL1032", $"--max-size takes a number of bytes, found '{text}'.", "With K, M, G or T for thousands, millions and so on: 50G.");
    }

    private static void Report(Diagnostic damage) => Session.Print([damage]);

    private static void Say(string text) => Console.Out.WriteLine(text.TrimEnd());

    private static void Line(string what, int files, long bytes, string why)
    {
        if (files > 0)
        {
            Say($"{what,-31} {files,2} {(files == 1 ? "file" : "files"),-5} {ByteCount.Text(bytes),10}   {why}");
        }
    }

    private static string Progress(long done, long all, TimeSpan taken)
    {
        double rate = done / Math.Max(0.001, taken.TotalSeconds);
        return string.Create(CultureInfo.InvariantCulture, $"read {ByteCount.Text(done)} of {ByteCount.Text(all)}, {ByteCount.Text((long)rate)}/s, {Duration.InWords((all - done) / Math.Max(1, rate))} left");
    }

    private static JsonObject Counted(int count, long bytes) => new() { ["count"] = count, ["bytes"] = bytes };

    private static JsonObject Stage(string stage, int entries, long bytes, double seconds) =>
        new() { ["uses"] = stage, ["entries"] = entries, ["bytes"] = bytes, ["compute_seconds"] = Math.Round(seconds, 3) };

    private static string Entries(int count) => count == 1 ? "entry" : "entries";

    private static string Cost(double seconds) => seconds > 0 ? PriceOf(seconds) : "no compute";

    private static string PriceOf(double seconds) => $"{Duration.InWords(seconds)} of compute";
}
