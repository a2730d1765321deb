// What went wrong, where, what was expected, and what to do next.
namespace Scaling.Sdk;

/// <summary>How much a <see cref="Diagnostic"/> matters.</summary>
public enum Severity
{
    /// <summary>The run goes on; the reader should know.</summary>
    Warning,

    /// <summary>The thing at hand cannot be done.</summary>
    Error,
}

/// <summary>A place in a text file.</summary>
/// <param name="File">Path as the user gave it.</param>
/// <param name="Line">Line, from 1; 0 where only the file is known.</param>
/// <param name="Column">Column, from 1; 0 where only the line is known.</param>
public sealed record SourceLocation(string File, int Line = 0, int Column = 0)
{
    /// <summary><c>file</c>, <c>file(line)</c> or <c>file(line,column)</c>, as MSBuild and editors read it.</summary>
    public override string ToString() =>
        Line == 0 ? File : Column == 0 ? $"{File}({Line})" : $"{File}({Line},{Column})";
}

/// <summary>
/// One finding about the user's input. Its code stands in <c>tool/Scaling.Cli/DIAGNOSTICS.md</c>:
/// SCAL1xxx command line, 2 pipeline file, 3 planning and keys, 4 store, 5 executors, 6 plugins, 7 numerics,
/// 8 training and measuring, 9 builds.
/// </summary>
/// <param name="Code">For example <c>SCAL2003</c>.</param>
/// <param name="Message">What was found, in a sentence, and what was expected.</param>
public sealed record Diagnostic(string Code, string Message)
{
    /// <summary>Default: <see cref="Severity.Error"/>.</summary>
    public Severity Severity { get; init; } = Severity.Error;

    /// <summary>Where it was found; null where there is no place.</summary>
    public SourceLocation? Location { get; init; }

    /// <summary>What to type or change next; null where the message says it.</summary>
    public string? Hint { get; init; }

    /// <summary>The canonical form <c>file(line,column): error SCAL2003: message Hint</c>.</summary>
    public override string ToString()
    {
        string place = Location is null ? "" : $"{Location}: ";
        string severity = Severity == Severity.Error ? "error" : "warning";
        string stop = Hint is null || Message.Length == 0 || Message[^1] is '.' or '?' or '!' or ':' ? "" : ".";
        return $"{place}{severity} {Code}: {Message}{stop}{(Hint is null ? "" : " " + Hint)}";
    }
}

/// <summary>
/// Thrown by a stage when the user's input cannot be worked with. The point fails with these diagnostics and no stack trace;
/// any other exception is a defect of the stage and is reported with its log.
/// </summary>
/// <param name="diagnostics">At least one.</param>
public sealed class StageFailedException(IReadOnlyList<Diagnostic> diagnostics)
    : Exception(string.Join(Environment.NewLine, diagnostics))
{
    /// <summary>One finding.</summary>
    /// <param name="code">For example <c>SCAL8001</c>.</param>
    /// <param name="message">What was found and what was expected.</param>
    /// <param name="hint">What to do next.</param>
    public StageFailedException(string code, string message, string? hint = null)
        : this([new Diagnostic(code, message) { Hint = hint }])
    {
    }

    /// <summary>What was found.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics { get; } = diagnostics;
}
