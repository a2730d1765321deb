// How a minimisation ended: one word for every method, a status and never an exception.
namespace Scaling.Laws;

/// <summary>How a minimisation ended.</summary>
public enum Convergence
{
    /// <summary>No step lowers the objective by more than rounding.</summary>
    Converged,

    /// <summary>The objective still fell when the limit of iterations was reached.</summary>
    IterationLimit,
}
