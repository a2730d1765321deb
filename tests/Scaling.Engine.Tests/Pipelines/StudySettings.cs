// A settings record that has every kind of setting, for the tests of this folder.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Scaling.Engine.Pipelines;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Pipelines;

public enum Schedule
{
    Cosine,
    WarmupStableDecay,
}

public sealed record Workload
{
    [Description("Prompt length.")]
    [Unit("tokens")]
    [Range(1, 1_000_000)]
    public int Prompt { get; init; } = 128;

    [Unit("tokens")]
    [Range(1, 1_000_000)]
    public int Output { get; init; } = 64;
}

public sealed record StudySettings
{
    [Description("Sizes to study, non-embedding.")]
    [Unit("parameters")]
    [Range(1.0, 1e12)]
    [MinLength(1)]
    public required long[] Sizes { get; init; }

    [Unit("layers")]
    [Range(1, 64)]
    public int Layers { get; init; } = 2;

    [Description("Hidden over the root of the parameters")]
    [Range(0.0, 10.0)]
    public double[] X { get; init; } = [0.16, 0.24, 0.36];

    public Workload Workload { get; init; } = new();

    [Description("What to compare with; absent: nothing.")]
    public Workload? Baseline { get; init; }

    public Workload[] Also { get; init; } = [];

    public Schedule Schedule { get; init; } = Schedule.WarmupStableDecay;

    [AllowedValues("sgd", "adamw")]
    public string Optimizer { get; init; } = "adamw";

    [AllowedValues(8, 16, 32)]
    public int Bits { get; init; } = 16;

    public bool Tied { get; init; } = true;

    public double? LearningRate { get; init; }

    public int? Limit { get; init; } = 5;

    public string Note { get; init; } = "";

    public Dictionary<string, string> Columns { get; init; } = [];

    [Range(0.0, double.PositiveInfinity)]
    public Dictionary<string, double> Fixed { get; init; } = new() { ["beta"] = 0.28, ["alpha"] = 0.34 };

    [NamedFiles("dotnet-docs", "{dotnet}/packs/*.xml")]
    [FileSchemes("text", "tokens")]
    public FileSet Corpus { get; init; } = new("dotnet-docs");

    public FileSet? Table { get; init; }
}

/// <summary>Reading and binding as the tool does, on files of a test.</summary>
internal static class Reading
{
    public static readonly JsonObject Schema = SettingsSchema.Of<StudySettings>();

    /// <summary>What the user sees, the machine's folder taken out.</summary>
    public static string Console(TemporaryFolder folder, IEnumerable<Diagnostic> findings) =>
        string.Join('\n', findings).Replace(folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);

    public static string Findings(string yaml, string file = "study.yaml")
    {
        using var folder = new TemporaryFolder();
        return Console(folder, PipelineReader.Read(folder.Write(file, yaml)).Findings);
    }

    public static PipelineDocument Document(string yaml)
    {
        using var folder = new TemporaryFolder();
        var (document, findings) = PipelineReader.Read(folder.Write("study.yaml", yaml));
        Assert.Empty(findings);
        return document!;
    }

    /// <summary>Binds lines that stand under <c>with:</c>.</summary>
    public static BoundSettings Bind(string with, JsonObject? schema = null)
    {
        using var folder = new TemporaryFolder();
        string indented = string.Concat(with.Split('\n').Select(line => $"      {line}\n"));
        var (document, findings) = PipelineReader.Read(folder.Write("study.yaml", $"stages:\n  a:\n    uses: study\n    with:\n{indented}"));
        Assert.Empty(findings);
        var stage = document!.Stages[0];
        var bound = SettingsBinder.Bind(stage.With, schema ?? Schema, stage.Uses, stage.Location);
        return bound with { Findings = [.. bound.Findings.Select(f => f with { Location = f.Location! with { File = "study.yaml" } })] };
    }

    public static string BindFindings(string with) => string.Join('\n', Bind(with).Findings);

    public static string Canonical(string with)
    {
        var bound = Bind(with);
        Assert.Empty(bound.Findings);
        return bound.Settings.ToJsonString();
    }
}
