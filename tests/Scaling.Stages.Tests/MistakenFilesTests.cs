// Whatever a file of the user holds, a stage goes on or says what is wrong; it does not throw.
using System.Text.Json.Nodes;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.Stages.Extrapolate;
using Scaling.Stages.Fit;
using Scaling.Stages.Search;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class MistakenFilesTests : IDisposable
{
    private static readonly string[] Cells = ["", "oops", "NaN", "Infinity", "-1", "0", "1e-300", "1e300", "3000000000"];

    private static readonly string[] Objects = ["", "null", "[]", "{}", "{", "{\"held_out\": {}}", "\"text\""];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Files => new()
    {
        { "fit", "runs" },
        { "extrapolate", "runs" }, { "extrapolate", "law" },
        { "search", "law" }, { "search", "speed" },
        { "export", "best" }, { "export", "runs" }, { "export", "law" }, { "export", "residuals" }, { "export", "predictions" }, { "export", "scores" },
        { "export", "speed" }, { "export", "candidates" }, { "export", "front" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void A_stage_goes_on_or_says_what_is_wrong_with_a_file(string stage, string role)
    {
        var inputs = SyntheticStudy.Write(_folder).Where(i => Roles(stage).Contains(i.Key)).ToDictionary();
        if (inputs.TryGetValue("law", out string? law))
        {
            // A refit of 1000 resamples for each mistake would take minutes.
            File.WriteAllText(law, File.ReadAllText(law).Replace("\"resamples\": 1000", "\"resamples\": 8", StringComparison.Ordinal));
        }

        Assert.Null(Thrown(stage, inputs));
        string whole = File.ReadAllText(inputs[role]);
        string[] thrown = [.. Mistakes(whole, Path.GetExtension(inputs[role])).Select(mistake =>
        {
            File.WriteAllText(inputs[role], mistake.Text);
            return Thrown(stage, inputs) is { } e ? $"{mistake.What}: {e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Scaling.", StringComparison.Ordinal))}" : null;
        }).OfType<string>()];

        Assert.True(thrown.Length == 0, string.Join('\n', thrown));
    }

    private Exception? Thrown(string stage, Dictionary<string, string> inputs)
    {
        var (type, settings) = stage switch
        {
            "fit" => ((IStage)new FitStage(), """{"resamples":8}"""),
            "extrapolate" => (new ExtrapolateStage(), """{"hold_out":"largest","sizes":[80000]}"""),
            "search" => (new SearchStage(), """{"size":64000,"tokens_per_parameter":20,"baseline":{"hidden":48,"ratio":4,"gqa":2}}"""),
            _ => (new ExportStage(), "{}"),
        };
        try
        {
            new StageRunner(type, _folder).Run(JsonNode.Parse(settings)!.AsObject(), inputs);
            return null;
        }
        catch (StageFailedException)
        {
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private static string[] Roles(string stage) => stage switch
    {
        "fit" => ["runs"],
        "extrapolate" => ["law", "runs"],
        "search" => ["law", "speed"],
        _ => ["best", "runs", "law", "residuals", "predictions", "scores", "speed", "candidates", "front"],
    };

    private static IEnumerable<(string What, string Text)> Mistakes(string whole, string extension) =>
        extension == ".csv" ? WrongTables(Table.Parse(whole)) : Objects.Select(o => ($"'{o}'", o)).Concat(WrongObjects(whole));

    private static IEnumerable<(string What, string Text)> WrongTables(Table table)
    {
        yield return ("an empty file", "");
        yield return ("no rows", new Table(table.Columns, []).ToCsv());
        yield return ("one row", new Table(table.Columns, [table.Rows[0]]).ToCsv());
        yield return ("equal rows", new Table(table.Columns, [.. table.Rows.Select(_ => table.Rows[0])]).ToCsv());
        for (int c = 0; c < table.Columns.Count; c++)
        {
            string name = table.Columns[c];
            yield return ($"no column {name}", new Table([.. table.Columns.Where((_, i) => i != c)], [.. table.Rows.Select(r => r.Where((_, i) => i != c).ToArray())]).ToCsv());
            // Each column gets a third of the cells, and each cell a third of the columns: all of both took minutes.
            foreach (string cell in Cells.Where((_, i) => i % 3 == c % 3))
            {
                yield return ($"{name} '{cell}' everywhere", With(table, c, (_, _) => cell));
            }

            yield return ($"{name} 'oops' once", With(table, c, (r, _) => r == 0 ? "oops" : null));
            yield return ($"{name} equal", With(table, c, (_, _) => table.Rows[0][c]));
        }
    }

    private static string With(Table table, int column, Func<int, int, string?> cell) =>
        new Table(table.Columns, [.. table.Rows.Select((row, r) => row.Select((text, c) => c == column ? cell(r, c) ?? text : text).ToArray())]).ToCsv();

    /// <summary>Each property of the object, and of those in it, absent, null or another thing.</summary>
    private static IEnumerable<(string What, string Text)> WrongObjects(string whole)
    {
        string?[] values = [null, "null", "0", "1e300", "\"oops\"", "{}"];
        foreach (var (p, path) in Paths(JsonNode.Parse(whole)!.AsObject(), "").Index())
        {
            foreach (string? value in values.Where((_, i) => i % 2 == p % 2))
            {
                var changed = JsonNode.Parse(whole)!.AsObject();
                string[] steps = path.Split('/');
                var owner = steps[..^1].Aggregate(changed, (o, step) => o[step]!.AsObject());
                owner.Remove(steps[^1]);
                if (value is not null)
                {
                    owner[steps[^1]] = JsonNode.Parse(value);
                }

                yield return ($"{path} {value ?? "absent"}", changed.ToJsonString());
            }
        }
    }

    private static IEnumerable<string> Paths(JsonObject owner, string before) =>
        owner.SelectMany(p => p.Value is JsonObject inner ? [before + p.Key, .. Paths(inner, before + p.Key + "/")] : new[] { before + p.Key });
}
