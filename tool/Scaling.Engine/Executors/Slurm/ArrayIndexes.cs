// The indexes of a job array as Slurm writes them: 0-3,7,9-13:2%4.
namespace Scaling.Engine.Executors.Slurm;

/// <summary>A set of task indexes.</summary>
/// <param name="Ranges">First and last, ascending, without overlap.</param>
public sealed record ArrayIndexes(IReadOnlyList<(int First, int Last)> Ranges)
{
    /// <summary>Reads what stands after the underscore of a job id, brackets and <c>%limit</c> included or not.</summary>
    /// <param name="text">For example <c>[0-3,7%2]</c> or <c>17</c>.</param>
    /// <returns>Null where it is none, or was cut short (<c>[0-3,...]</c>): then nobody knows what is missing.</returns>
    public static ArrayIndexes? TryParse(string text) => throw new NotImplementedException();

    /// <summary>Of any numbers, as few ranges as possible.</summary>
    public static ArrayIndexes Of(IEnumerable<int> indexes) => throw new NotImplementedException();

    /// <summary>Whether an index is among them.</summary>
    public bool Contains(int index) => throw new NotImplementedException();

    /// <summary>As sbatch and scancel take it: <c>0-3,7</c>.</summary>
    public override string ToString() => throw new NotImplementedException();
}
