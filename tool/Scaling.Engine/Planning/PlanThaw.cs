// A frozen plan to a pipeline that runs: nothing is read of the pipeline file, and what is not as it was when the plan was made is refused.
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Files;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>Thaws plans.</summary>
/// <param name="catalog">Describes plugins, from the store where they were described before.</param>
/// <param name="store">Digests files.</param>
/// <param name="asked">What <c>--executor</c> says; null where it is not given.</param>
public sealed class PlanThaw(PluginCatalog catalog, ContentStore store, ExecutorKind? asked = null)
{
    private readonly ExecutorChoice _choice = new(asked, Placement.None);

    /// <summary>The pipeline of a plan.</summary>
    /// <param name="plan">As read.</param>
    /// <exception cref="StageFailedException">SCAL3020: it was edited; SCAL3021: code changed since; SCAL3022: files changed since. All findings at once.</exception>
    public async Task<Pipeline> Pipeline(FrozenPlan plan)
    {
        var findings = new List<Diagnostic>();
        var nodes = new Dictionary<string, StageNode>(StringComparer.Ordinal);
        foreach (var stage in plan.Stages)
        {
            var node = await Node(stage, nodes, findings).ConfigureAwait(false);
            if (!nodes.TryAdd(stage.Id, node))
            {
                throw FrozenPlan.Edited($"two stages are called '{stage.Id}'");
            }
        }

        if (findings.Count > 0)
        {
            throw new StageFailedException(findings);
        }

        var pipeline = new Pipeline(plan.Pipeline, plan.Path, plan.Seed, [.. nodes.Values]) { Overrides = plan.Overrides };
        Demand(pipeline);
        return pipeline;
    }

    /// <summary>What comes back to a stage comes from one below it, and the stages of a circle stand together.</summary>
    private static void Demand(Pipeline pipeline)
    {
        var circles = pipeline.Circles;
        string[] ids = [.. pipeline.Stages.Select(s => s.Id)];
        foreach (var stage in pipeline.Stages)
        {
            if (stage.Feedback.FirstOrDefault(f => f.Stage != stage.Id && circles.All(c => c.Lister != stage.Id || !c.Others.Contains(f.Stage))) is { } lost)
            {
                throw FrozenPlan.Edited($"'{stage.Id}' takes feedback from '{lost.Stage}', which does not need it");
            }
        }

        foreach (var circle in circles)
        {
            int first = Array.IndexOf(ids, circle.Lister);
            if (circles.Any(c => c != circle && c.Members.Intersect(circle.Members).Any()) || !ids[first..].Take(circle.Others.Count + 1).SequenceEqual(circle.Members))
            {
                throw FrozenPlan.Edited($"the stages of the circle {circle} do not stand together");
            }
        }
    }

    /// <summary>A stage of a plan, without the stages that it needs: enough to execute its actions.</summary>
    /// <param name="stage">Of the plan.</param>
    /// <exception cref="StageFailedException">As for <see cref="Pipeline"/>.</exception>
    public async Task<StageNode> Alone(FrozenStage stage)
    {
        var findings = new List<Diagnostic>();
        var node = await Node(stage with { Inputs = [], Feedback = null }, [], findings).ConfigureAwait(false);
        return findings.Count > 0 ? throw new StageFailedException(findings) : node;
    }

    private async Task<StageNode> Node(FrozenStage stage, Dictionary<string, StageNode> others, List<Diagnostic> findings)
    {
        var type = await Type(stage).ConfigureAwait(false);
        string[] changed = [.. type.CodeEntries.Except(stage.Code).Concat(stage.Code.Except(type.CodeEntries)).Select(e => e.Name).Distinct()];
        if (changed.Length > 0)
        {
            findings.Add(Changed("SCAL3021", $"The code of '{stage.Uses}' is not what the plan was made with: {string.Join(", ", changed)}.", stage.Location));
        }

        foreach (var files in stage.Files)
        {
            foreach (var file in files.Files.Where(f => !FileIdentity.IsRegularFile(f.Path) || store.Digest(f.Path) != f.Sha256))
            {
                findings.Add(Changed("SCAL3022", $"{file.Path}, which setting '{files.Setting}' of '{stage.Id}' names, changed or went since the plan was made.", stage.SettingLocations.GetValueOrDefault(files.Setting) ?? stage.Location));
            }
        }

        foreach (var input in stage.Inputs.Where(i => i.File is { } path && !FileIdentity.IsRegularFile(path)))
        {
            findings.Add(Changed("SCAL3022", $"{input.File}, an input of '{stage.Id}', went since the plan was made.", stage.Location));
        }

        return NodeProbe.AsKnown(new StageNode
        {
            Id = stage.Id,
            Location = stage.Location,
            Type = type,
            Settings = stage.Settings,
            SettingLocations = stage.SettingLocations,
            Files = stage.Files,
            Inputs = [.. stage.Inputs.Select(i => Bind(stage, type, i, others))],
            Feedback = [.. (stage.Feedback ?? []).Select(f => new FeedbackBinding(RoleOf(stage, type, f), f.Stage!))],
            Patience = TimeSpan.FromSeconds(stage.PatienceSeconds),
            Executor = _choice.Of(type.Declaration, stage.Executor, null),
            OwnExecutor = stage.Executor,
            Resources = stage.Resources ?? Resources.None,
        }, store);
    }

    private async Task<StageType> Type(FrozenStage stage)
    {
        if (!stage.Packaged && !File.Exists(stage.Assembly))
        {
            throw new StageFailedException([Changed("SCAL3021", $"The plugin {stage.Assembly} of '{stage.Uses}' is not there any more.", stage.Location)]);
        }

        var types = await (stage.Packaged ? catalog.DescribeBuiltIn(stage.Uses) : catalog.Describe(stage.Assembly)).ConfigureAwait(false);
        return types.FirstOrDefault(t => t.Declaration.Type == stage.Uses) ?? throw FrozenPlan.Edited($"{Path.GetFileName(stage.Assembly)} has no stage type '{stage.Uses}'");
    }

    private static Binding Bind(FrozenStage stage, StageType type, FrozenInput input, Dictionary<string, StageNode> others)
    {
        var role = RoleOf(stage, type, input);
        var source = input.Stage is not { } id ? null : others.GetValueOrDefault(id) ?? throw FrozenPlan.Edited($"'{stage.Id}' needs '{id}', which does not stand before it");
        return new Binding(role, source, input.File);
    }

    private static InputRole RoleOf(FrozenStage stage, StageType type, FrozenInput input) =>
        type.Declaration.Inputs.FirstOrDefault(r => r.Name == input.Role) ?? throw FrozenPlan.Edited($"'{stage.Uses}' has no role '{input.Role}'");

    private static Diagnostic Changed(string code, string message, SourceLocation location) =>
        new(code, PipelineDiagnostics.OnOneLine(message)) { Location = location, Hint = "Plan again: dotnet scaling plan PIPELINE --json > plan.json" };
}
