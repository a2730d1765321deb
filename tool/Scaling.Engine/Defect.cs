// The tool's own mistake, as its user is told of it.
using Scaling.Sdk;

namespace Scaling.Engine;

/// <summary>An exception that nobody expected: the tool broke a promise of its own (exit code 5).</summary>
public static class Defect
{
    internal const string Code = "SCAL1099";

    /// <summary>For the user. SCALING_TRACE=1 has it say where.</summary>
    /// <param name="exception">Any.</param>
    public static Diagnostic Of(Exception exception) => new(Code, $"The tool broke a promise of its own: {exception.GetType().Name}: {exception.Message}")
    {
        Hint = Environment.GetEnvironmentVariable("SCALING_TRACE") == "1" ? exception.StackTrace : "SCALING_TRACE=1 shows where.",
    };

    /// <summary>Whether a finding is one.</summary>
    /// <param name="finding">Any.</param>
    internal static bool Is(Diagnostic finding) => finding.Code == Code;
}
