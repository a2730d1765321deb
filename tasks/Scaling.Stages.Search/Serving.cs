// What serving a shape takes: its speed at the batch that fits, how sure that is, and where it comes from.
using Scaling.Architectures;

namespace Scaling.Stages.Search;

/// <summary>A shape's speed.</summary>
/// <param name="Speed">At the batch that fits; at a batch of 1 where not even that does.</param>
/// <param name="Fits">Weights and at least one sequence fit into memory.</param>
/// <param name="TokensPerSecond">95 % interval of its tokens a second; null where it is not known.</param>
/// <param name="Source"><c>modelled</c>, <c>calibrated</c> or <c>measured</c>.</param>
public sealed record Serving(Speed Speed, bool Fits, Bounds? TokensPerSecond, string Source);
