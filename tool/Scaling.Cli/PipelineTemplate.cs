// A commented pipeline of the repository, as init writes it for files of somebody else: paths and names of columns change, and nothing else.
using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>
/// Templates are pipelines that run as they stand, so that they are tested as all others. What depends on a table stands in their own comments, and the tool knows no column:
/// <c>Yours: a, b, c</c> behind a column, what it may be called; <c>Largest: WORD</c> behind a value, the largest of that column; <c>Common: WORD, WORD</c>, what divides all of those columns; <c>Unless: WORD, WORD</c> behind a setting in a comment, that it
/// is wanted where the table has none of these, or several values of the setting's own word, of which it then is the largest; <c>Where: WORD, WORD</c> that it is wanted only where it has one; <c>One of: WORD, WORD</c> in a comment, that the stage beneath needs one of these. With a slash one on each side of it is meant. <c>Config: A, B / C</c> is a member of a configuration, or the whole
/// quotient of two, the first that it tells.
/// </summary>
internal sealed partial class PipelineTemplate
{
    private const long MostCommon = 128;

    private readonly List<string> _lines;

    private PipelineTemplate(string text) => _lines = [.. text.TrimEnd('\n').Split('\n')];

    /// <summary>A pipeline of the repository.</summary>
    /// <param name="name">Its file name.</param>
    public static PipelineTemplate Of(string name) => new(Embedded(name));

    /// <summary>A file that the tool carries.</summary>
    /// <param name="name">As it was embedded.</param>
    public static string Embedded(string name)
    {
        using var reader = new StreamReader(typeof(PipelineTemplate).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    /// <summary>Words for which the table had no column.</summary>
    public List<string> Unrecognised { get; } = [];

    /// <summary>The text with the line that makes an editor complete it.</summary>
    public override string ToString() => $"# yaml-language-server: $schema=pipeline.schema.json\n{string.Join('\n', _lines)}\n";

    /// <summary>Takes another file for one that the template names, also where it is only spoken of.</summary>
    /// <param name="file">As it stands in the template.</param>
    /// <param name="other">Relative to the pipeline.</param>
    public PipelineTemplate With(string file, string other)
    {
        string written = Written(other);
        for (int i = 0; i < _lines.Count; i++)
        {
            _lines[i] = _lines[i].Replace(file, written, StringComparison.Ordinal);
        }

        return this;
    }

    /// <summary>Whether the table has no column for what a stage needs, which then is in comments.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Writes the columns that a table has beside the study's words. A word that none is known for becomes a comment, for a person to fill in.</summary>
    /// <param name="table">Its header, and its rows for a largest value.</param>
    public PipelineTemplate For(Table table)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < _lines.Count; i++)
        {
            string line = _lines[i];
            var mark = Mark().Match(line);
            string[] words = mark.Groups["words"].Value.Split(", ");
            string about = mark.Groups["about"].Value;
            _lines[i] = (mark.Groups["mark"].Value, Setting().Match(mark.Groups["before"].Value)) switch
            {
                ("Yours", var column) => Column(table, found, column.Groups["indent"].Value, column.Groups["word"].Value, words, about),
                ("Largest", var setting) when found.TryGetValue(words[0], out string? of) && Largest(table, of) is { } value => Line($"{setting.Groups["indent"].Value}{setting.Groups["word"].Value}: {value}", about),
                ("Common", var setting) when Common(table, [.. words.Where(found.ContainsKey).Select(w => found[w])]) is { } value => Line($"{setting.Groups["indent"].Value}{setting.Groups["word"].Value}: {value}", about),
                ("Unless", var setting) when words[0] == setting.Groups["word"].Value && found.TryGetValue(words[0], out string? of) && Numbers(table, of).Distinct().Count() > 1 && Largest(table, of) is { } value =>
                    Line($"{setting.Groups["indent"].Value}{setting.Groups["word"].Value}: {value}", about),
                ("Unless", var setting) when !Tells(found, words) => Line($"{setting.Groups["indent"].Value}{setting.Groups["word"].Value}: {setting.Groups["value"].Value}", about),
                ("Where", _) when !Tells(found, words) => Commented(mark.Groups["before"].Value + "# " + about),
                ("", _) => line,
                _ => $"{mark.Groups["before"].Value}# {about}",
            };
            if (mark.Groups["mark"].Value == "One of" && !Tells(found, words))
            {
                IsCut = true;
                while (_lines[i + 1].Length > 0)
                {
                    _lines[++i] = Commented(Mark().Replace(_lines[i], "${before}# ${about}"));
                }
            }
        }

        return this;
    }

    /// <summary>Writes the values that a configuration has; of what it does not tell the template's own stays.</summary>
    /// <param name="config">A JSON object.</param>
    public PipelineTemplate For(JsonObject config)
    {
        for (int i = 0; i < _lines.Count; i++)
        {
            if (Mark().Match(_lines[i]) is { Success: true } mark && mark.Groups["mark"].Value == "Config")
            {
                var setting = Setting().Match(mark.Groups["before"].Value);
                long? told = mark.Groups["words"].Value.Split(", ").Select(w => Told(config, w)).FirstOrDefault(v => v is not null);
                _lines[i] = Line($"{setting.Groups["indent"].Value}{setting.Groups["word"].Value}: {(told is { } value ? value.ToString(CultureInfo.InvariantCulture) : setting.Groups["value"].Value)}", mark.Groups["about"].Value);
            }
        }

        return this;
    }

    private static long? Told(JsonObject config, string expression) => expression.Split(" / ") is [var over, var under]
        ? Told(config, over) is { } a && Told(config, under) is > 0 and var b && a % b == 0 ? a / b : null
        : config[expression] is JsonValue value && value.TryGetValue(out long whole) ? whole : null;

    private string Column(Table table, Dictionary<string, string> found, string indent, string word, string[] known, string about)
    {
        if (known.Select(k => table.Columns.FirstOrDefault(c => Letters(c) == Letters(k))).FirstOrDefault(c => c is not null) is { } name)
        {
            found[word] = name;
            return Line($"{indent}{word}: {Written(name)}", about);
        }

        Unrecognised.Add(word);
        return Line($"{indent}# {word}: ?", about);
    }

    /// <summary>Whether the table has one of the words, or one on each side of every slash.</summary>
    private static bool Tells(Dictionary<string, string> found, string[] words) =>
        string.Join(", ", words).Split(" / ").All(side => side.Split(", ").Any(found.ContainsKey));

    private static string Commented(string line) => "#" + line;

    private static string Line(string setting, string about) => $"{setting.PadRight(41)} # {about}";

    /// <summary>Upper case and separators differ from table to table.</summary>
    private static string Letters(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    private static string? Largest(Table table, string column) =>
        Numbers(table, column).DefaultIfEmpty().Max() is >= 1 and <= 1e15 and var largest ? ((long)largest).ToString(CultureInfo.InvariantCulture) : null;

    /// <summary>No more than <see cref="MostCommon"/>: what few models have in common may be a whole width.</summary>
    private static string? Common(Table table, IReadOnlyList<string> columns)
    {
        long common = 0;
        foreach (double number in columns.SelectMany(c => Numbers(table, c)).Where(n => n is >= 1 and <= 1e9 && n == Math.Floor(n)))
        {
            common = (long)BigInteger.GreatestCommonDivisor(common, (long)number);
        }

        return common == 0 ? null : (common % MostCommon == 0 ? MostCommon : common).ToString(CultureInfo.InvariantCulture);
    }

    private static IEnumerable<double> Numbers(Table table, string column)
    {
        int at = table.IndexOf(column);
        return table.Rows.Select(r => double.TryParse(r[at], CultureInfo.InvariantCulture, out double value) ? value : double.NaN).Where(double.IsFinite);
    }

    /// <summary>In quotes where YAML, or a formula, would read something else.</summary>
    private static string Written(string text) => PlainText().IsMatch(text) ? text : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^(?<before>.*)# (?<about>[^#]*?) (?<mark>Yours|Largest|Common|Unless|Where|One of|Config): (?<words>[\w,/ ]+)$")]
    private static partial Regex Mark();

    /// <summary>Also one in a comment.</summary>
    [GeneratedRegex(@"^(?<indent> *)(?:# )?(?<word>\w+): (?<value>\S.*?) *$")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^[A-Za-z_./][A-Za-z0-9_./-]*$")]
    private static partial Regex PlainText();
}
