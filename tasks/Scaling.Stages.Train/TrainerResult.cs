// The points that a trainer of the user wrote: JSON Lines, version 1, as TRAINER.md has it.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Scaling.Sdk;

namespace Scaling.Stages.Train;

/// <summary>A point of a run.</summary>
/// <param name="Line">Where it stands, from 1.</param>
/// <param name="Tokens">Trained on so far.</param>
/// <param name="Loss">Held-out, nats a token.</param>
/// <param name="Annealed">Whether the learning-rate schedule had ended.</param>
/// <param name="Diverged">Whether the loss is no number, or greater than that of any run that learns.</param>
internal sealed record TrainerPoint(int Line, long Tokens, double Loss, bool Annealed, bool Diverged)
{
    /// <summary>The optional fields by name: a number or a text.</summary>
    public required IReadOnlyDictionary<string, object> Facts { get; init; }
}

/// <summary>Reads a result file.</summary>
/// <param name="path">The file.</param>
/// <param name="greatestLoss">Nats a token; a run of more has diverged.</param>
internal sealed partial class TrainerResult(string path, double greatestLoss)
{
    private const int MostFindings = 10;

    private const double AboveZero = double.Epsilon;

    private static readonly string[] Required = ["version", "tokens", "loss", "annealed"];

    /// <summary>Optional numbers with the least and the greatest, and whether they are whole.</summary>
    private static readonly Dictionary<string, (double Least, double Most, bool Whole)> Numbers = new()
    {
        ["loss_standard_error"] = (0, double.MaxValue, false),
        ["steps"] = (1, long.MaxValue, true),
        ["batch"] = (1, int.MaxValue, true),
        ["context"] = (1, int.MaxValue, true),
        ["learning_rate"] = (AboveZero, double.MaxValue, false),
        ["bytes_per_token"] = (AboveZero, double.MaxValue, false),
        ["evaluation_tokens"] = (1, long.MaxValue, true),
        ["unique_tokens"] = (1, long.MaxValue, true),
        ["accuracy"] = (0, 1, false),
        ["accuracy_standard_error"] = (0, 1, false),
        ["questions"] = (1, int.MaxValue, true),
        ["seconds"] = (AboveZero, double.MaxValue, false),
        ["peak_memory_bytes"] = (0, long.MaxValue, true),
    };

    private static readonly string[] Texts = ["schedule", "recipe", "precision", "tokenizer", "corpus", "held_out"];

    private readonly List<Diagnostic> _findings = [];
    private readonly SortedSet<string> _unknown = new(StringComparer.Ordinal);

    /// <summary>Fields that nothing here knows, with the line of the first.</summary>
    public IEnumerable<string> Unknown => _unknown;

    /// <summary>The points by rising tokens, none twice.</summary>
    /// <exception cref="StageFailedException">SCAL8504: there is no point; SCAL8505: lines are wrong, each told with its place.</exception>
    public IReadOnlyList<TrainerPoint> Read()
    {
        var points = new List<TrainerPoint>();
        int number = 0;
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line) && Point(number, line) is { } point)
            {
                if (points.Find(p => p.Tokens == point.Tokens) is { } before)
                {
                    Wrong(number, $"it tells of {point.Tokens} tokens, as line {before.Line} does");
                }
                else
                {
                    points.Add(point);
                }
            }
        }

        if (_findings.Count > 0)
        {
            throw new StageFailedException([.. _findings.Take(MostFindings)]);
        }

        return points.Count > 0
            ? [.. points.OrderBy(p => p.Tokens)]
            : throw new StageFailedException([new Diagnostic("SCAL8504", File.Exists(path) ? "The trainer's result has no lines." : "The trainer ended without writing its result.")
            {
                Location = new SourceLocation(path),
                Hint = "Let it write one JSON object a line to {result}.",
            }]);
    }

    private TrainerPoint? Point(int number, string line)
    {
        int before = _findings.Count;
        using var document = Parse(number, line);
        if (document is null)
        {
            return null;
        }

        var fields = document.RootElement.EnumerateObject().GroupBy(f => f.Name).ToDictionary(f => f.Key, f => f.Last().Value, StringComparer.Ordinal);
        if (!fields.TryGetValue("version", out var version) || Number(version) != TrainerRequest.Version)
        {
            Wrong(number, $"its version is {Shown(fields, "version")}, where {TrainerRequest.Version} was expected");
            return null;
        }

        double tokens = fields.TryGetValue("tokens", out var t) ? Number(t) : double.NaN;
        if (!(tokens >= 1 && tokens == Math.Floor(tokens) && tokens < long.MaxValue))
        {
            Wrong(number, $"its tokens are {Shown(fields, "tokens")}, where a whole number from 1 was expected");
        }

        double loss = fields.TryGetValue("loss", out var l) ? Loss(l) : -1;
        if (loss < 0 && !double.IsInfinity(loss))
        {
            Wrong(number, $"its loss is {Shown(fields, "loss")}, where nats a token were expected");
        }

        if (!fields.TryGetValue("annealed", out var annealed) || annealed.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Wrong(number, $"its annealed is {Shown(fields, "annealed")}, where true or false was expected");
        }

        var facts = Facts(number, fields);
        return _findings.Count > before ? null : new TrainerPoint(number, (long)tokens, loss, annealed.GetBoolean(), Diverged: !(loss <= greatestLoss)) { Facts = facts };
    }

    private Dictionary<string, object> Facts(int number, Dictionary<string, JsonElement> fields)
    {
        var facts = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, value) in fields.Where(f => !Required.Contains(f.Key) && f.Value.ValueKind != JsonValueKind.Null))
        {
            if (Numbers.TryGetValue(name, out var range))
            {
                double found = Number(value);
                if (found >= range.Least && found <= range.Most && (!range.Whole || found == Math.Floor(found)))
                {
                    facts[name] = range.Whole ? (object)(long)found : found;
                }
                else
                {
                    Wrong(number, $"its {name} is {value}, where a {(range.Whole ? "whole " : "")}number {(range.Least == AboveZero ? "above 0" : $"from {range.Least.ToString(CultureInfo.InvariantCulture)}")}{(range.Most <= 1 ? " to 1" : "")} was expected");
                }
            }
            else if (Texts.Contains(name) && value.ValueKind == JsonValueKind.String)
            {
                facts[name] = value.GetString()!;
            }
            else if (Texts.Contains(name))
            {
                Wrong(number, $"its {name} is {value}, where a text was expected");
            }
            else
            {
                _unknown.Add(name);
            }
        }

        return facts;
    }

    /// <summary>Python writes NaN and Infinity as bare words, which are no JSON.</summary>
    private JsonDocument? Parse(int number, string line)
    {
        foreach (string text in (string[])[line, BareWord().Replace(line, "\"$1\"")])
        {
            try
            {
                var document = JsonDocument.Parse(text);
                if (document.RootElement.ValueKind == JsonValueKind.Object)
                {
                    return document;
                }

                document.Dispose();
            }
            catch (JsonException)
            {
                // Told below.
            }
        }

        Wrong(number, "it is no JSON object");
        return null;
    }

    private static double Number(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;

    /// <summary>NaN and infinities as words or null; −1 where it is no loss at all.</summary>
    private static double Loss(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.Null => double.NaN,
        JsonValueKind.String => value.GetString()!.ToLowerInvariant() switch
        {
            "nan" or "-nan" => double.NaN,
            "inf" or "infinity" or "-inf" or "-infinity" => double.PositiveInfinity,
            _ => -1,
        },
        _ => -1,
    };

    private static string Shown(Dictionary<string, JsonElement> fields, string name) => fields.TryGetValue(name, out var value) ? value.GetRawText() : "absent";

    private void Wrong(int number, string what) => _findings.Add(new Diagnostic("SCAL8505", $"This line of the trainer's result is wrong: {what}.")
    {
        Location = new SourceLocation(path, number),
        Hint = "TRAINER.md describes the fields.",
    });

    [GeneratedRegex(@"(?<=[:\[,]\s*)(-?(?:NaN|Infinity))(?=\s*[,}\]])")]
    private static partial Regex BareWord();
}
