// What reads the input of strangers, and what must be true of its answer.
using Scaling.Sdk;

namespace Scaling.Faults.Fuzzing;

/// <summary>Something that reads files.</summary>
internal abstract class Target
{
    /// <summary>As it stands in reports.</summary>
    public abstract string Name { get; }

    /// <summary>Files as they should be.</summary>
    public abstract IReadOnlyList<byte[]> Corpus { get; }

    /// <summary>A mutation that knows the language.</summary>
    public abstract byte[] ByStructure(Mutator mutator, byte[] text);

    /// <summary>Lets the file be read.</summary>
    /// <param name="content">Mutated.</param>
    /// <returns>What was answered, in a word, for the counts.</returns>
    /// <exception cref="NotSoException">The answer is wrong; any other exception is a crash.</exception>
    public abstract string Read(byte[] content);

    protected static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new NotSoException(otherwise);
        }
    }

    /// <summary>A finding stands at a line and column of a file, or names the file where it has no lines.</summary>
    protected static void DemandPlace(Diagnostic finding, string file, bool lines)
    {
        Demand(finding.Message.Length > 10 && !finding.ToString().Any(c => char.IsControl(c) && c != '\n'), $"a finding that cannot be read: {finding}");
        Demand(
            lines ? finding.Location is { Line: > 0, Column: > 0 } place && place.File == file : finding.Message.Contains(file, StringComparison.Ordinal) || finding.Location?.File == file,
            $"a finding without its place in {file}: {finding}");
    }
}

/// <summary>What was read is not as it must be.</summary>
internal sealed class NotSoException(string message) : Exception(message);
