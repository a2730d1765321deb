// report --compare: two studies side by side, what they found and what they were made of.
using System.Globalization;
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class CompareCommand
{
    private const int ShownOfDigest = 12;
    private const int RowsNamed = 5;

    /// <summary>One of the two.</summary>
    /// <param name="Named">As typed.</param>
    /// <param name="Run">A run of it.</param>
    /// <param name="Found">What its stages found, by name; of two of one name the later stage's.</param>
    private sealed record Study(string Named, RunRecord Run, IReadOnlyDictionary<string, SummaryQuantity> Found);

    /// <summary>A quantity of both.</summary>
    private sealed record Beside(SummaryQuantity? A, SummaryQuantity? B)
    {
        private SummaryQuantity Any => (A ?? B)!;

        public string Name => Any.Name;

        public string Label => Any.Label;

        /// <summary>Of the one that has a number.</summary>
        public string Unit => A is { Value: not null } ? A.Unit : B is { Value: not null } ? B.Unit : Any.Unit;

        /// <summary>The second less the first; null where they are not two numbers of one unit.</summary>
        public double? Difference => A?.Value is { } a && B?.Value is { } b && A.Unit == B.Unit ? b - a : null;
    }

    public static Task<int> Run(Commands.Invocation call, string a, string b)
    {
        using var store = ContentStore.Open(call.StoreFolder, finding => CommandConsole.Print([finding]));
        var first = Of(a, store);
        var second = Of(b, store);
        Beside[] quantities = [.. first.Found.Keys.Union(second.Found.Keys).Select(name => new Beside(first.Found.GetValueOrDefault(name), second.Found.GetValueOrDefault(name)))];
        var changes = new RunComparison(store).Compare(first.Run, second.Run);
        if (call.Json)
        {
            JsonText.Print("scaling.compare/1", Answer(first, second, quantities, changes));
        }
        else
        {
            Console.Out.Write(string.Join('\n', [.. Markdown(first, second, quantities, changes), ""]));
        }

        return Task.FromResult(ExitCode.Done);
    }

    /// <summary>The last run of a pipeline file, or the one that stands after <c>@</c>.</summary>
    private static Study Of(string named, ContentStore store)
    {
        int at = named.LastIndexOf('@');
        var (file, number) = File.Exists(named) || at < 0 ? (named, null) : (named[..at], named[(at + 1)..]);
        var history = new RunHistory(store, Path.GetFullPath(file));
        if (history.Last is not { } last)
        {
            string hint = File.Exists(file) ? $"'dotnet scaling run {CommandLine.Quoted(file)}' runs it; a run that used another store is found with --cache." : $"There is no file {file} either. --compare takes two pipeline files that were run, as study.yaml, or study.yaml@3 for its run 3.";
            throw new UsageException("SCAL1056", $"{file} has not run with this store ({store.Root}).", hint);
        }

        var run = number is null ? last : history.Find(number)
            ?? throw new UsageException("SCAL1067", $"There is no run '{number}' of {file}. Runs {history.Numbers[^1]} to {history.Numbers[0]} are kept.", "Name a run by its number, or as last, last~1, last~2 and so on.");
        var found = new Dictionary<string, SummaryQuantity>(StringComparer.Ordinal);
        foreach (var quantity in run.Stages.SelectMany(s => s.Actions is [{ Point: null } only] ? Quantities(s.Id, only.Key, store) : []))
        {
            found[quantity.Name] = quantity;
        }

        return new Study(named, run, found);
    }

    private static IReadOnlyList<SummaryQuantity> Quantities(string stage, string key, ContentStore store) =>
        FoundSummary.OfEntry(stage, key, store, CommandConsole.Now.Found)?.Summary.Quantities ?? [];

    private static IEnumerable<string> Markdown(Study a, Study b, Beside[] quantities, IReadOnlyList<StageChange> changes)
    {
        yield return a.Run.Pipeline == b.Run.Pipeline ? $"# {a.Run.Pipeline}, run {a.Run.Number} and run {b.Run.Number}" : $"# {a.Run.Pipeline} and {b.Run.Pipeline}";
        yield return "";
        yield return $"A is {About(a)}; B is {About(b)}.";
        yield return "";
        yield return "## What they found";
        yield return "";
        if (quantities.Length == 0)
        {
            yield return $"No stage of either gave a {StageSummary.FileName}, as 'export' does: what was found is not known here.";
        }
        else
        {
            yield return "| quantity | A | B | B − A | unit |";
            yield return "|---|--:|--:|--:|---|";
            foreach (var quantity in quantities)
            {
                yield return $"| {Cell(quantity.Label)} | {Text(quantity.A, quantity)} | {Text(quantity.B, quantity)} | {(quantity.Difference is { } difference ? Signed(difference, quantity) : "–")} | {Cell(quantity.Unit)} |";
            }
        }

        yield return "";
        yield return "## What changed from A to B";
        yield return "";
        string[][] rows = [.. changes.Where(c => !c.IsSame).SelectMany(Rows)];
        if (rows.Length == 0)
        {
            yield return "Nothing: both were made of the same code, settings and files.";
            yield break;
        }

        yield return "| stage | what | A | B |";
        yield return "|---|---|---|---|";
        foreach (string[] row in rows)
        {
            yield return $"| {string.Join(" | ", row.Select(Cell))} |";
        }
    }

    private static string About(Study study) => string.Create(
        CultureInfo.InvariantCulture, $"{study.Named} (run {study.Run.Number}, ended {study.Run.Ended.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z{(study.Run.ExitCode == ExitCode.Done ? "" : ", not done")}{string.Concat(study.Run.Overrides.Select(o => $", --set {o}"))})");

    private static IEnumerable<string[]> Rows(StageChange stage)
    {
        if (stage.A is null || stage.B is null)
        {
            string there = stage.A is { } gone ? $"`{gone.Id}` ({gone.Type})" : $"`{stage.B!.Id}` ({stage.B.Type})";
            yield return [stage.A is null ? there : "–", stage.A is null ? "the stage is new" : $"{there} is gone", stage.A is null ? "–" : "there", stage.B is null ? "–" : "there"];
            yield break;
        }

        string name = $"`{stage.B.Id}`";
        if (stage.A.Id != stage.B.Id)
        {
            yield return [name, "its name", stage.A.Id, stage.B.Id];
        }

        foreach (var change in stage.Changes.Where(c => !IsCode(c)))
        {
            yield return [name, What(change), Value(change, change.Was), Value(change, change.Now)];
        }

        string[] code = [.. stage.Changes.Where(IsCode).Select(c => c.Name)];
        if (code.Length > 0)
        {
            yield return [name, $"its code: {string.Join(", ", code)}", "", ""];
        }

        if (stage.OnlyInA.Count + stage.OnlyInB.Count > 0)
        {
            yield return [name, "rows that only one has", Named(stage.OnlyInA), Named(stage.OnlyInB)];
        }
    }

    private static bool IsCode(Difference change) => change.Kind is EntryKind.Assembly or EntryKind.Library;

    private static string What(Difference change) => change.Kind switch
    {
        EntryKind.Setting => $"`{change.Name}`",
        EntryKind.Files => $"files of `{change.Name}`",
        EntryKind.Input => $"the file that is its input `{change.Name.Split('[')[0]}`",
        EntryKind.Seed => "the pipeline's seed",
        EntryKind.Device => "the class of machine",
        EntryKind.Native => $"native package {change.Name}",
        EntryKind.Framework => ".NET",
        _ => $"{change.Kind} {change.Name}",
    };

    private static string Value(Difference change, string? value) =>
        value is null ? "–" : change.Kind == EntryKind.Setting ? $"`{Explainer.Readable(value)}`" : value.Length == 64 && value.All(char.IsAsciiHexDigitLower) ? value[..ShownOfDigest] : value;

    private static string Named(IReadOnlyList<string> rows) => rows.Count == 0 ? "–" : $"{rows.Count}: {string.Join(", ", rows.Take(RowsNamed))}{(rows.Count > RowsNamed ? " …" : "")}";

    /// <summary>With its unit where the other has another.</summary>
    private static string Text(SummaryQuantity? quantity, Beside beside) => quantity is null ? "–" : Cell(quantity.Value is not null && quantity.Unit != beside.Unit ? $"{quantity.Text} {quantity.Unit}" : quantity.Text);

    /// <summary>With as many decimals as the two are told with; three digits where they are told otherwise.</summary>
    private static string Signed(double difference, Beside of)
    {
        int?[] decimals = [Decimals(of.A!.Text), Decimals(of.B!.Text)];
        string text = Math.Abs(difference).ToString(decimals is [{ } a, { } b] ? $"F{Math.Max(a, b)}" : Math.Abs(difference) is >= 1000 and < 1e15 ? "F0" : "0.###", CultureInfo.InvariantCulture);
        return difference switch { > 0 => $"+{text}", < 0 => $"−{text}", _ => text };
    }

    private static int? Decimals(string number) =>
        !decimal.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? null : number.Contains('.', StringComparison.Ordinal) ? number.Length - 1 - number.IndexOf('.', StringComparison.Ordinal) : 0;

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static JsonObject Answer(Study a, Study b, Beside[] quantities, IReadOnlyList<StageChange> changes) => new()
    {
        ["a"] = Answer(a),
        ["b"] = Answer(b),
        ["quantities"] = new JsonArray([.. quantities.Select(q => new JsonObject
        {
            ["name"] = q.Name, ["label"] = q.Label, ["a"] = Answer(q.A), ["b"] = Answer(q.B), ["difference"] = q.Difference,
        })]),
        ["changes"] = new JsonArray([.. changes.Where(c => !c.IsSame).Select(c => new JsonObject
        {
            ["a"] = c.A?.Id, ["b"] = c.B?.Id, ["uses"] = (c.B ?? c.A)!.Type,
            ["differences"] = new JsonArray([.. c.Changes.Select(d => new JsonObject { ["kind"] = d.Kind, ["name"] = d.Name, ["was"] = d.Was, ["now"] = d.Now, ["text"] = d.Text })]),
            ["only_in_a"] = JsonText.Of(c.OnlyInA), ["only_in_b"] = JsonText.Of(c.OnlyInB),
        })]),
    };

    private static JsonObject Answer(Study study) => new()
    {
        ["pipeline"] = study.Run.Pipeline, ["path"] = study.Run.Path, ["run"] = study.Run.Number, ["ended"] = JsonText.Of(study.Run.Ended), ["exit_code"] = study.Run.ExitCode, ["overrides"] = JsonText.Of(study.Run.Overrides),
    };

    private static JsonObject? Answer(SummaryQuantity? quantity) => quantity is null ? null : new JsonObject { ["value"] = quantity.Value, ["unit"] = quantity.Unit, ["text"] = quantity.Text };
}
