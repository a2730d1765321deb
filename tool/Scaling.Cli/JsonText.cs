// What a reading command answers to a program: one JSON object whose first member names its form. JSON.md lists them.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Planning;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class JsonText
{
    /// <summary>For people to read as well.</summary>
    public static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly Lock Answering = new();
    private static bool _answered;

    /// <summary>Prints an answer on standard output.</summary>
    /// <param name="schema">Its form and version, for example <c>scaling.check/1</c>.</param>
    /// <param name="members">The others; those that are null are left out.</param>
    public static void Print(string schema, JsonObject members) => Print(() => Text(schema, members, Indented));

    /// <summary>Prints an answer about a pipeline, with its name and the path of its file.</summary>
    /// <param name="schema">Its form and version.</param>
    /// <param name="pipeline">Linked.</param>
    /// <param name="members">The others; those that are null are left out.</param>
    public static void Print(string schema, Pipeline pipeline, JsonObject members)
    {
        members.Insert(0, "pipeline", pipeline.Name);
        members.Insert(1, "path", pipeline.Path);
        Print(schema, members);
    }

    /// <summary>An answer in one line.</summary>
    /// <param name="schema">Its form and version.</param>
    /// <param name="members">The others; those that are null are left out.</param>
    public static void PrintLine(string schema, JsonObject members) => Print(() => Line(schema, members));

    /// <summary>A command answers once: whoever begins first. An interruption comes on another thread, and waits until an answer is whole.</summary>
    /// <returns>False where there is an answer already.</returns>
    public static bool Begin()
    {
        lock (Answering)
        {
            return !_answered && (_answered = true);
        }
    }

    /// <summary>An object in one line.</summary>
    /// <param name="schema">Its form and version.</param>
    /// <param name="members">The others; those that are null are left out.</param>
    public static string Line(string schema, JsonObject members) => Text(schema, members, OneLine);

    /// <summary>A line of events, or of anything else that has no form of its own.</summary>
    /// <param name="members">Those that are null are left out.</param>
    public static string Line(JsonObject members) => WithoutNulls(members).ToJsonString(OneLine);

    /// <summary>A finding with its place.</summary>
    /// <param name="finding">Any.</param>
    public static JsonObject Of(Diagnostic finding) => WithoutNulls(new JsonObject
    {
        ["code"] = finding.Code,
        ["severity"] = finding.Severity == Severity.Error ? "error" : "warning",
        ["message"] = finding.Message,
        ["hint"] = finding.Hint,
        ["file"] = finding.Location?.File,
        ["line"] = finding.Location is { Line: > 0 and var line } ? line : null,
        ["column"] = finding.Location is { Column: > 0 and var column } ? column : null,
    });

    /// <summary>Findings in their order.</summary>
    /// <param name="findings">Any.</param>
    public static JsonArray Of(IEnumerable<Diagnostic> findings) => [.. findings.Select(Of)];

    /// <summary>Texts in their order.</summary>
    /// <param name="texts">Any.</param>
    public static JsonArray Of(IEnumerable<string> texts) => [.. texts.Select(t => (JsonNode)t)];

    /// <summary>A time as every answer and event writes it: UTC, ISO 8601, milliseconds.</summary>
    /// <param name="time">In any zone.</param>
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static void Print(Func<string> text)
    {
        lock (Answering)
        {
            if (Begin())
            {
                Console.Out.WriteLine(text());
            }
        }
    }

    private static string Text(string schema, JsonObject members, JsonSerializerOptions options)
    {
        WithoutNulls(members).Insert(0, "schema", schema);
        return members.ToJsonString(options);
    }

    /// <summary>The members that are there.</summary>
    /// <param name="members">Those that are null are removed.</param>
    public static JsonObject WithoutNulls(JsonObject members)
    {
        foreach (var (name, value) in members.ToArray())
        {
            switch (value)
            {
                case null:
                    members.Remove(name);
                    break;
                case JsonObject inner:
                    WithoutNulls(inner);
                    break;
                case JsonArray list:
                    list.OfType<JsonObject>().ToList().ForEach(item => WithoutNulls(item));
                    break;
            }
        }

        return members;
    }
}
