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

    [Description("Score also every size on the law of the smaller ones.")]
    public bool Rollout { get; init; } = true;

    [Description("In a rollout, how many of the nearest smaller sizes a second law of each step is fitted to.")]
    [Unit("1")]
    [Range(1, 100)]
    public int NearSizes { get; init; } = 2;

    [Description("Sizes to predict, at the law's best shape.")]
    [Unit("parameters")]
    [Range(1.0, 1e18)]
    public IReadOnlyList<double> Sizes { get; init; } = [];

    [Description("Tokens a parameter of the predictions; empty: those of the runs.")]
    [Unit("tokens a parameter")]
    [Range(1e-6, 1e9)]
    public IReadOnlyList<double> TokensPerParameter { get; init; } = [];

    [Description("Losses this near to the best are as good, in the decision.")]
    [Unit("nats a token")]
    [Range(0.0, 100.0)]
    public double Epsilon { get; init; } = 0.001;

    [Description("Probability with which the decision's confidence set holds the best shape.")]
    [Unit("1")]
    [Range(0.01, 0.999)]
    public double Confidence { get; init; } = 0.8;
}
