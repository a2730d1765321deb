// Tests that need a real Slurm.
namespace Scaling.Slurm.Tests;

/// <summary>Skips with the reason where no cluster can be started.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class SlurmFactAttribute : FactAttribute
{
    public SlurmFactAttribute() => Skip = SlurmCluster.Missing;
}
