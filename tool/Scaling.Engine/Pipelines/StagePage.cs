// The page of a stage type: what it says of itself, as Markdown for people.
using System.Text;
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>Writes what a stage declares: inputs, settings, outputs with their columns, how it is executed and what enters its key.</summary>
public static class StagePage
{
    /// <summary>The page, with LF and a last line end; the same bytes for the same descriptor.</summary>
    /// <param name="stage">Of any plugin.</param>
    public static string Of(StageDescriptor stage)
    {
        var page = new StringBuilder();
        var declaration = stage.Declaration;
        page.Append($"# `{declaration.Type}`\n\n{declaration.Summary}\n");
        if (declaration.Example.Length > 0)
        {
            page.Append($"\n```yaml\n{declaration.Example.Replace("\r\n", "\n", StringComparison.Ordinal).TrimEnd('\n')}\n```\n");
        }

        page.Append($"\n## What it needs\n\n{Inputs([.. declaration.Inputs.Where(i => !i.Feedback)])}");
        if (declaration.Inputs.Any(i => i.Feedback))
        {
            page.Append($"\n## What comes back to it\n\n{Feedback(declaration)}");
        }

        page.Append($"\n## Settings\n\n{Settings(new SettingSchema(stage.Settings))}");
        page.Append($"\n## What it writes\n\n{Outputs(declaration)}");
        page.Append($"\n## How it is executed\n\n{Execution(declaration)}");
        page.Append($"\n## What enters its key\n\n{Key(declaration)}");
        return page.ToString();
    }

    private static string Inputs(IReadOnlyList<InputRole> roles) => roles.Count == 0 ? "Nothing.\n" :
        "A role takes what a stage writes of its kind, or a file of yours: `needs: STAGE`, or `needs: { ROLE: STAGE }`.\n\n" +
        Table(["role", "kind", "how many"], roles.Select(r => new[]
        {
            $"`{r.Name}`", $"`{r.Kind}`", r.Cardinality switch { Cardinality.One => "one", Cardinality.Optional => "one or none", _ => "any number" },
        }));

    private static string Feedback(StageDeclaration stage) =>
        "Round by round, what the stages gave that `feedback: STAGE` names, and what it gave itself; in the first round nothing. The rounds end when it lists nothing new.\n\n" +
        Table(["role", "kind", "how many"], stage.Inputs.Where(i => i.Feedback).Select(r => new[] { $"`{r.Name}`", $"`{r.Kind}`", r.Cardinality == Cardinality.Many ? "any number" : "one or none" }));

    private static string Settings(SettingSchema settings) => settings.Properties.Count == 0 ? "None.\n" :
        "*required* is a setting without which the stage is refused, and *absent* one that may be left out; its meaning then says what holds. The settings of a setting stand behind its dot.\n\n" +
        Table(["setting", "unit", "default", "takes", "meaning"], Rows(settings, ""));

    /// <summary>A row for every setting, in the order of the schema; the settings of a record follow it.</summary>
    private static IEnumerable<string[]> Rows(SettingSchema record, string path)
    {
        foreach (var (name, setting) in record.Properties)
        {
            bool isRecord = setting.Kind == SettingKind.Record, isNumber = Innermost(setting).Kind is SettingKind.Whole or SettingKind.Number;
            string standard = record.Required.Contains(name) ? "required" : setting.Default is not { } value ? "absent" : isRecord ? "as follows" : $"`{SettingNodes.Written(value)}`";
            yield return [$"`{path}{name}`", setting.Unit ?? (isNumber ? "1" : ""), standard, setting.Takes, Meaning(setting)];
            foreach (string[] row in isRecord && path.Count(c => c == '.') < DeepestSetting ? Rows(setting, $"{path}{name}.") : [])
            {
                yield return row;
            }
        }
    }

    /// <summary>A record may hold itself.</summary>
    private const int DeepestSetting = 3;

    private static SettingSchema Innermost(SettingSchema setting) => setting.Kind is SettingKind.List or SettingKind.Dictionary ? Innermost(setting.Element) : setting;

    private static string Meaning(SettingSchema setting)
    {
        string meaning = setting.Description ?? "";
        if (Innermost(setting) is { Meanings: { } meanings, Choices: { } choices })
        {
            meaning += $" {string.Join("; ", choices.Zip(meanings).Where(c => c.Second.Length > 0).Select(c => $"`{c.First.Trim('"')}`: {c.Second}"))}.";
        }

        return meaning.TrimStart();
    }

    private static string Outputs(StageDeclaration stage)
    {
        var text = new StringBuilder();
        foreach (var output in stage.Outputs)
        {
            string[] notes =
            [
                stage.FanOut is null || output.Name.EndsWith(".csv", StringComparison.Ordinal) ? "" : "one a row, in a folder of the row's name",
                output.Optional ? "not always there" : "", output.Volatile ? "differs from run to run: it enters no key and cannot be needed" : "",
            ];
            text.Append($"{(text.Length == 0 ? "" : "\n")}### `{output.Name}`\n\nKind `{output.Kind}`{string.Concat(notes.Where(n => n.Length > 0).Select(n => $"; {n}"))}.\n");
            if (output.Columns.Count > 0)
            {
                text.Append('\n').Append(Table(["column", "unit", "meaning"], output.Columns.Select(c => new[] { $"`{c.Name}`", c.Unit, c.Meaning })));
            }
        }

        return text.Length == 0 ? "Nothing.\n" : text.ToString();
    }

    private static string Execution(StageDeclaration stage)
    {
        var lines = new List<string>();
        if (stage.FanOut is { } fanOut)
        {
            string across = fanOut.Across is { } setting ? $" and each value of `{setting}`" : "";
            lines.Add(fanOut.Mode == FanOutMode.Batch
                ? $"All rows of `{fanOut.Role}`{across} that are not in the store together; each is stored by itself."
                : $"An action for each row of `{fanOut.Role}`{across}, side by side; each is stored by itself.");
            lines.Add($"Of a row it reads {Codes(fanOut.Reads)}.{Optional(fanOut)}");
            lines.Add($"A row is named by {Codes(fanOut.Point)}{(fanOut.Across is { } last ? $" and `{last}`" : "")}.");
        }
        else
        {
            lines.Add("One action.");
        }

        if (stage.Prepare is { } prepare)
        {
            lines.Add($"Before its rows, one action that they share makes {Codes(prepare.Outputs)} from {Codes(prepare.Reads)}.");
        }

        if (stage.Enumerating)
        {
            lines.Add("While planning, so that a plan knows its rows; always on this machine.");
        }

        if (stage.Exclusive)
        {
            lines.Add("With the machine for itself.");
        }

        lines.Add(stage.Determinism switch
        {
            Determinism.Exact => "Repeated on the same kind of machine it gives the same bytes.",
            Determinism.Statistical => "Repeated it gives the same up to noise, which its outputs state.",
            _ => "Nothing is promised of a repetition.",
        });
        lines.Add($"Without progress for {Span(stage.Patience)} an action counts as hung; `timeout:` says another time.");
        return Bullets(lines);
    }

    private static string Optional(FanOut fanOut) => fanOut.Optional.Count == 0 ? "" :
        $" Where the table has them, also {string.Join(", ", fanOut.Optional.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => o.Value.Length == 0 ? $"`{o.Key}`" : $"`{o.Key}` (else `{o.Value}`)"))}.";

    private static string Key(StageDeclaration stage)
    {
        string[] lines =
        [
            $"The type `{stage.Type}`, the revision of the contract and the major version of .NET.",
            "Its code: the assemblies of its plugin that it can reach, and native packages, by content.",
            "Its settings as values, defaults included: `16k` and `16000` are one. Files that they name, by content and not by path.",
            stage.FanOut is { } fanOut ? $"What it needs, by content; of `{fanOut.Role}` only the columns above of its own row." : stage.Inputs.Count > 0 ? "What it needs, by content." : "",
            stage.UsesPipelineSeed ? "The pipeline's `seed`." : "",
            stage.Exclusive ? "The class of the machine that it runs on." : "",
        ];
        return Bullets(lines.Where(l => l.Length > 0)) + $"\nNothing else: no name of the pipeline or a stage, no path, no comment, no time{(stage.Exclusive ? "" : ", nor where it runs")}.\n";
    }

    private static string Span(TimeSpan span) => span.TotalMinutes < 1 ? $"{span.TotalSeconds:0.#} s" : span.TotalHours < 1 ? $"{span.TotalMinutes:0.#} min" : $"{span.TotalHours:0.#} h";

    private static string Codes(IEnumerable<string> words) => string.Join(", ", words.Select(w => $"`{w}`"));

    private static string Bullets(IEnumerable<string> lines) => string.Concat(lines.Select(l => $"- {l}\n"));

    private static string Table(string[] head, IEnumerable<string[]> rows) =>
        Row(head) + $"|{string.Concat(head.Select(_ => "---|"))}\n" + string.Concat(rows.Select(Row));

    /// <summary>A bar would end its cell.</summary>
    private static string Row(string[] cells) => $"| {string.Join(" | ", cells.Select(c => c.Replace("|", @"\|", StringComparison.Ordinal).Replace('\n', ' ')))} |\n";
}
