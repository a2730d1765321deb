// One word of the user to a setting's canonical JSON value, wherever the word came from.
using System.Text.Json.Nodes;
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// Reads words as YAML 1.2 core does where truth is expected (<c>true</c> and <c>false</c>; <c>yes</c> and <c>on</c> are text), as a
/// <see cref="Quantity"/> where a number is expected, and as they stand where text is expected. What is quoted is text.
/// </summary>
/// <param name="setting">Its dotted path, for messages.</param>
/// <param name="schema">What is expected: no record, dictionary or list.</param>
/// <param name="findings">Takes what is wrong.</param>
internal readonly struct SettingScalar(string setting, SettingSchema schema, Findings findings)
{
    /// <summary>The value, or null where it was wrong and reported.</summary>
    /// <param name="text">Without quotes; not a plain null.</param>
    /// <param name="quoted">Whether it stood in quotes.</param>
    /// <param name="at">Where it stands.</param>
    public JsonNode? Read(string text, bool quoted, SourceLocation at)
    {
        var value = schema.Kind switch
        {
            SettingKind.Whole or SettingKind.Number => Number(text, quoted, at),
            SettingKind.Truth => Truth(text, quoted, at),
            _ => JsonValue.Create(text),
        };
        return value is not null && (schema.IsFiles ? IsFiles(text, at) : IsChoice(text, value, at)) ? value : null;
    }

    private JsonValue? Number(string text, bool quoted, SourceLocation at)
    {
        if (quoted || !Quantity.TryParse(text, out var quantity))
        {
            return Wrong(text, quoted, at, quoted && Quantity.TryParse(text, out _) ? "Remove the quotes." : NumberHint(text));
        }

        if (schema.Kind == SettingKind.Number)
        {
            return quantity.TryDouble(out double number) && number >= schema.Minimum && number <= schema.Maximum ? JsonValue.Create(number) : OutOfRange(text, at);
        }

        if (!quantity.IsWhole)
        {
            return Wrong(text, quoted, at, null);
        }

        return quantity.TryWhole(out long whole) && whole >= schema.Minimum && whole <= schema.Maximum ? JsonValue.Create(whole) : OutOfRange(text, at);
    }

    private JsonValue? Truth(string text, bool quoted, SourceLocation at) => (quoted, text) switch
    {
        (false, "true" or "True" or "TRUE") => JsonValue.Create(true),
        (false, "false" or "False" or "FALSE") => JsonValue.Create(false),
        (true, "true" or "false") => Wrong(text, quoted, at, "Remove the quotes."),
        _ => Wrong(text, quoted, at, text.ToLowerInvariant() switch
        {
            "yes" or "on" or "y" or "1" => "Write true.",
            "no" or "off" or "n" or "0" => "Write false.",
            var word => findings.Nearest(word, ["true", "false"]),
        }),
    };

    private bool IsChoice(string text, JsonNode value, SourceLocation at)
    {
        if (schema.Choices is not { } choices || choices.Contains(value.ToJsonString()))
        {
            return true;
        }

        string? hint = findings.Nearest(text, choices.Select(c => c.Trim('"')));
        findings.Add(PipelineDiagnostics.NotAChoice(at, setting, schema.Describe(), $"'{PipelineDiagnostics.Shown(text)}'", hint));
        return false;
    }

    /// <summary>A bare word must be a name that the stage declares, and what stands before a colon a scheme that it understands.</summary>
    private bool IsFiles(string text, SourceLocation at)
    {
        int colon = text.IndexOf(':');
        if (colon > 0 && text.AsSpan(0, colon).IndexOfAny("/.*") < 0)
        {
            string scheme = text[..colon];
            return schema.FileSchemes.Contains(scheme) || UnknownFiles(text, at, findings.Nearest(scheme, schema.FileSchemes));
        }

        bool word = text.AsSpan().IndexOfAny("/.*?") < 0;
        return text.Length == 0
            ? UnknownFiles(text, at, null)
            : !word || schema.FileNames.Count == 0 || schema.FileNames.Contains(text)
                || UnknownFiles(text, at, findings.Nearest(text, schema.FileNames) ?? $"Write './{PipelineDiagnostics.Shown(text)}' for a file of that name.");
    }

    private bool UnknownFiles(string text, SourceLocation at, string? hint)
    {
        findings.Add(PipelineDiagnostics.UnknownFiles(at, setting, schema.Describe(), $"'{PipelineDiagnostics.Shown(text)}'", hint));
        return false;
    }

    private JsonValue? Wrong(string text, bool quoted, SourceLocation at, string? hint)
    {
        string found = $"{(quoted ? "the quoted text " : "")}'{PipelineDiagnostics.Shown(text)}'";
        findings.Add(PipelineDiagnostics.WrongType(at, setting, schema.Describe(), found, hint));
        return null;
    }

    private JsonValue? OutOfRange(string text, SourceLocation at)
    {
        string? hint = schema.ToldBounds is not (null, null) ? null
            : schema.Kind == SettingKind.Number ? "It must fit a double, from 5e-324 to 1.8e308."
            : $"It must fit {(schema.IsInt32 ? 32 : 64)} bits.";
        findings.Add(PipelineDiagnostics.OutOfRange(at, setting, schema.Describe(), $"'{PipelineDiagnostics.Shown(text)}'", hint));
        return null;
    }

    private static string? NumberHint(string text) =>
        text.Length > 0 && char.IsAsciiDigit(text[0])
            ? text.Contains('_') || text.Contains(',') || text.Contains(' ')
                ? "Write digits without separators."
                : "Suffixes are k, M, B (thousand, million, billion) and Ki, Mi, Gi (1024, 1024², 1024³)."
            : null;
}
