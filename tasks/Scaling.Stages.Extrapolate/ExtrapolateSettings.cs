// The settings of `extrapolate`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace Scaling.Stages.Extrapolate;

/// <summary>The settings of <c>extrapolate</c>.</summary>
public sealed record ExtrapolateSettings
{
    [Description("A size to keep from the fit and to score its predictions on: 'none', 'largest', or a number of parameters such as 297M.")]
    public string HoldOut { get; init; } = "none";

    [Description("Sizes to predict, at the law's best shape.")]
    [Unit("parameters")]
    [Range(1.0, 1e18)]
    public IReadOnlyList<double> Sizes { get; init; } = [];

    [Description("Tokens a parameter of the predictions; empty: those of the runs.")]
    [Unit("tokens a parameter")]
    [Range(1e-6, 1e9)]
    public IReadOnlyList<double> TokensPerParameter { get; init; } = [];
}
