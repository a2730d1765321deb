// The world failed: disk, processes, network.
using Scaling.Engine.Files;
using Scaling.Sdk;

namespace Scaling.Engine;

/// <summary>Something that is not the pipeline's fault stands in the way; the run ends with exit code 5.</summary>
/// <param name="code">SCAL4xxx or SCAL5xxx.</param>
/// <param name="message">What happened, with the facts.</param>
/// <param name="hint">What to do next.</param>
public sealed class InfrastructureException(string code, string message, string? hint = null) : Exception(message)
{
    /// <summary>A file could not be read or written: a full disk, permissions, a disk that fails.</summary>
    /// <param name="cause">An <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</param>
    public static InfrastructureException OfFile(Exception cause) => cause switch
    {
        _ when FileFailure.IsFull(cause) => new("SCAL4011", $"A file could not be written, since the disk is full or your share of it used up: {cause.Message}", "Make room ('dotnet scaling cache gc' removes from the store what no run uses), or name another folder with --cache or --out, then run again: what is finished is kept."),
        { HResult: LibC.ReadOnlyFileSystem } => new("SCAL4010", $"A file could not be written, since its file system is read-only: {cause.Message}", "Make it writable, or name another folder with --cache or --out; then run again: what is finished is kept."),
        _ => new("SCAL4004", $"A file could not be read or written: {cause.Message}", "Make room or mend permissions, then run again: what is finished is kept."),
    };

    /// <summary>For the user.</summary>
    public Diagnostic Diagnostic { get; } = new(code, message) { Hint = hint };
}
