// What a user's input made impossible in this room; stages turn it into a diagnostic.
namespace Scaling.Torch;

/// <summary>The user's machine, corpus or setting cannot be worked with.</summary>
/// <param name="code">SCAL8xxx.</param>
/// <param name="message">What was found and what was expected.</param>
/// <param name="hint">What to do next; null where the message says it.</param>
public sealed class UnusableInputException(string code, string message, string? hint = null) : Exception(message)
{
    /// <summary>SCAL8xxx, as the list of diagnostics has it.</summary>
    public string Code { get; } = code;

    /// <summary>What to do next.</summary>
    public string? Hint { get; } = hint;
}
