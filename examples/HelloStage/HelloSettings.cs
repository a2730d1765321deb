// What YAML may say under `with:`: names in snake case, initial values are the defaults, attributes become the schema.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace HelloStage;

/// <summary>Settings of <c>hello</c>.</summary>
public sealed record HelloSettings
{
    /// <summary>The first word of every line.</summary>
    [Description("The first word of every line.")]
    public string Greeting { get; init; } = "Hello";

    /// <summary>At most so many shapes are greeted.</summary>
    [Description("At most so many shapes are greeted.")]
    [Unit("shapes")]
    [Range(1, 1_000_000)]
    public int Limit { get; init; } = 1000;
}
