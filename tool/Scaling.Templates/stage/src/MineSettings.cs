// What YAML may say under `with:`: names in snake case, initial values are the defaults, attributes become the schema.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace Acme.Mine;

/// <summary>Settings of <c>mine-type</c>.</summary>
public sealed record MineSettings
{
    /// <summary>Points with fewer runs are left out.</summary>
    [Description("Points with fewer runs are left out.")]
    [Unit("runs")]
    [Range(1, 1000)]
    public int LeastRuns { get; init; } = 1;
}
