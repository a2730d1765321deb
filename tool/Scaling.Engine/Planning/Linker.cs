// Gives a pipeline's words their meaning and finds what has none: unknown types, wrong settings, unbound roles, missing files.
using System.Text.Json.Nodes;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Files;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>Links a pipeline document to stage types and files.</summary>
/// <param name="catalog">Describes plugins.</param>
/// <param name="store">Digests files.</param>
/// <param name="withoutFiles">Takes findings of files that settings name and that are not there; the pipeline is then linked without them, and must not be run. Null: they are findings.</param>
/// <param name="packages">Brings plugins that are packages; null where there are none.</param>
/// <param name="choice">What command line and profile say of where actions run; null for nothing.</param>
public sealed class Linker(PluginCatalog catalog, ContentStore store, Action<Diagnostic>? withoutFiles = null, IPluginPackages? packages = null, ExecutorChoice? choice = null)
{
    private readonly ExecutorChoice _choice = choice ?? ExecutorChoice.None;
    private readonly List<Diagnostic> _findings = [];
    private readonly List<Diagnostic> _warnings = [];

    /// <summary>Links the whole pipeline, gathering every finding.</summary>
    /// <param name="document">As read; it may have findings of its own.</param>
    /// <returns>The pipeline, or null where there are findings; the findings in the order of the file.</returns>
    public async Task<(Pipeline? Pipeline, IReadOnlyList<Diagnostic> Findings)> Link(PipelineDocument document)
    {
        var types = await StageTypes(document).ConfigureAwait(false);
        var nodes = new Dictionary<string, StageNode?>();
        foreach (var stage in InOrder(document.Stages, Circles(document.Stages)))
        {
            nodes[stage.Id] = types.TryGetValue(stage.Uses, out var type) ? Node(document, stage, type, nodes, types) : null;
        }

        IReadOnlyList<Diagnostic> findings = [.. _findings.OrderBy(f => f.Location?.Line ?? 0).ThenBy(f => f.Location?.Column ?? 0)];
        return findings.Count > 0
            ? (null, findings)
            : (new Pipeline(document.Name, Path.GetFullPath(document.File), document.Seed, [.. nodes.Values.Select(n => n!)]) { Overrides = document.Overrides, Warnings = [.. _warnings.OrderBy(w => w.Location?.Line ?? 0).ThenBy(w => w.Location?.Column ?? 0)] }, findings);
    }

    /// <summary>The types that the pipeline uses; those that are unknown or broken are reported where they stand.</summary>
    private async Task<Dictionary<string, StageType>> StageTypes(PipelineDocument document)
    {
        var types = new Dictionary<string, StageType>(StringComparer.Ordinal);
        bool broken = false; // Then nobody knows which types it would have brought.
        foreach (var plugin in document.Plugins)
        {
            if (plugin.Version is { } version)
            {
                await Add(OfPackage(new PluginPackage(plugin.Name, version)), plugin.Location).ConfigureAwait(false);
                continue;
            }

            // A path that no file system takes is no file's; as written it can be told.
            string path = plugin.Name.Contains('\0') ? plugin.Name : Path.GetFullPath(plugin.Name, document.Folder);
            if (!File.Exists(path))
            {
                broken = true;
                Find("SCAL6008", $"There is no plugin at '{PipelineDiagnostics.OnOneLine(plugin.Name)}' ({PipelineDiagnostics.OnOneLine(path)}).", plugin.Location, "Build it first; the path is relative to the pipeline file.");
                continue;
            }

            await Add(catalog.Describe(path), plugin.Location).ConfigureAwait(false);
        }

        var unknown = document.Stages.Where(s => !types.ContainsKey(s.Uses)).Select(s => s.Uses).Distinct();
        string[] builtIn = [.. unknown.Intersect(catalog.BuiltIn)];
        var described = Array.ConvertAll(builtIn, catalog.DescribeBuiltIn); // All begin before the first is waited for.
        for (int i = 0; i < builtIn.Length; i++)
        {
            await Add(described[i], document.Stages.First(s => s.Uses == builtIn[i]).UsesLocation).ConfigureAwait(false);
        }

        string[] known = [.. catalog.BuiltIn.Union(types.Keys)];
        foreach (var stage in broken ? [] : document.Stages.Where(s => !known.Contains(s.Uses)))
        {
            Find("SCAL3001", $"There is no stage type '{PipelineDiagnostics.Shown(stage.Uses)}'. There are: {string.Join(", ", known)}.", stage.UsesLocation, NearestSpelling.Hint(stage.Uses, known));
        }

        return types;

        async Task<IReadOnlyList<StageType>> OfPackage(PluginPackage package) =>
            await catalog.Describe(await packages!.Fetch(package, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);

        async Task Add(Task<IReadOnlyList<StageType>> described, SourceLocation location)
        {
            try
            {
                foreach (var type in await described.ConfigureAwait(false))
                {
                    if (!types.TryAdd(type.Declaration.Type, type))
                    {
                        Find("SCAL6009", $"Two plugins bring a stage type '{type.Declaration.Type}'.", location);
                    }
                }
            }
            catch (StageFailedException e)
            {
                broken = true;
                _findings.AddRange(e.Diagnostics.Select(d => d with { Location = location }));
            }
        }
    }

    private StageNode? Node(PipelineDocument document, StageDocument stage, StageType type, Dictionary<string, StageNode?> others, Dictionary<string, StageType> types)
    {
        int before = _findings.Count;
        var bound = SettingsBinder.Bind(stage.With, type.Descriptor.Settings, stage.Uses, stage.UsesLocation);
        _findings.AddRange(bound.Findings);
        var files = bound.Findings.Count > 0 ? [] : Files(document, stage, type, bound);
        var inputs = Bind(document, stage, type, others);
        var feedback = stage.Feedback.Count > 0 ? Feedback(document, stage, type, types) : [];
        if (stage.Feedback.Count == 0)
        {
            SettingsOfRounds(type.Descriptor.Settings, bound.Settings, "").Where(bound.Positions.ContainsKey).ToList().ForEach(setting => WarnOfOneRound(document, stage, types, setting, bound.Positions[setting]));
        }

        return _findings.Count > before
            ? null
            : NodeProbe.AsKnown(new StageNode
            {
                Id = stage.Id,
                Location = stage.Location,
                Type = type,
                Settings = bound.Settings,
                SettingLocations = bound.Positions,
                Files = files,
                Inputs = inputs,
                Feedback = feedback,
                Patience = stage.Timeout ?? type.Declaration.Patience,
                Executor = _choice.Of(type.Declaration, stage.Placement.Executor, document.Placement.Executor),
                OwnExecutor = stage.Placement.Executor,
                Resources = stage.Placement.Resources.Over(document.Placement.Resources).Over(_choice.Profile.Resources),
            }, store);
    }

    private List<ResolvedFiles> Files(PipelineDocument document, StageDocument stage, StageType type, BoundSettings bound)
    {
        var sets = new FileSets(document.Folder, store);
        var resolved = new List<ResolvedFiles>();
        foreach (var (setting, text, declared) in FileSettings(type.Descriptor.Settings, bound.Settings, ""))
        {
            var location = bound.Positions.GetValueOrDefault(setting) ?? stage.UsesLocation;
            if (sets.Resolve(setting, text, declared, location, out var found) is { } finding)
            {
                if (withoutFiles is null)
                {
                    _findings.Add(finding);
                }
                else
                {
                    withoutFiles(finding with { Severity = Severity.Warning });
                    resolved.Add(new ResolvedFiles(setting, text, "", []));
                }
            }
            else
            {
                resolved.Add(found!);
            }
        }

        return resolved;
    }

    /// <summary>Every setting whose schema has <c>x-files</c> and that has a value.</summary>
    private static IEnumerable<(string Setting, string Text, JsonObject Declared)> FileSettings(JsonObject schema, JsonObject values, string prefix)
    {
        foreach (var (name, property) in schema["properties"]?.AsObject() ?? [])
        {
            if (property is not JsonObject node)
            {
                continue;
            }

            if (node["x-files"] is JsonObject declared && values[name] is JsonValue text)
            {
                yield return (prefix + name, text.GetValue<string>(), declared);
            }
            else if (values[name] is JsonObject nested)
            {
                foreach (var found in FileSettings(node, nested, $"{prefix}{name}."))
                {
                    yield return found;
                }
            }
        }
    }

    /// <summary>Every setting whose schema has <c>x-needs-feedback</c> and that has a value.</summary>
    private static IEnumerable<string> SettingsOfRounds(JsonObject schema, JsonObject values, string prefix)
    {
        foreach (var (name, property) in schema["properties"] as JsonObject ?? [])
        {
            if (property is JsonObject node && values[name] is { } value)
            {
                string[] within = value is JsonObject nested ? [.. SettingsOfRounds(node, nested, $"{prefix}{name}.")] : [];
                foreach (string found in node["x-needs-feedback"] is null ? within : within.Prepend(prefix + name))
                {
                    yield return found;
                }
            }
        }
    }

    /// <summary>A setting of rounds in a stage that nothing comes back to: it would list a first round, and nobody would say why no other follows.</summary>
    private void WarnOfOneRound(PipelineDocument document, StageDocument stage, Dictionary<string, StageType> types, string setting, SourceLocation location)
    {
        var declared = types[stage.Uses].Declaration;
        string[] back = [.. declared.Inputs.Where(r => r.Feedback).Select(r => r.Kind).Except(Kinds(declared))];
        var below = FeedbackCircle.Below(stage.Id, document.Stages);
        var giver = document.Stages.FirstOrDefault(s => s.Id != stage.Id && below.Contains(s.Id) && types.TryGetValue(s.Uses, out var type) && Kinds(type.Declaration).Intersect(back).Any());
        _warnings.Add(new Diagnostic("SCAL3038", $"'{setting}' is for rounds, and nothing comes back to '{stage.Id}': it lists a first round, and no other follows.")
        {
            Severity = Severity.Warning, Location = location,
            Hint = back.Length == 0 ? $"Leave '{setting}' out: '{stage.Uses}' takes nothing back." : giver is not null ? $"Write 'feedback: {giver.Id}' below 'uses', or leave '{setting}' out." : $"Add 'feedback:' with a stage that gives {Words(back)} and needs '{stage.Id}', or leave '{setting}' out.",
        });
    }

    /// <summary>Binds what the stage needs to its roles: by name where given, else by kind.</summary>
    private List<Binding> Bind(PipelineDocument document, StageDocument stage, StageType type, Dictionary<string, StageNode?> others)
    {
        InputRole[] roles = [.. type.Declaration.Inputs.Where(r => !r.Feedback)];
        var bindings = new List<Binding>();
        bool incomplete = false;
        foreach (var need in stage.Needs)
        {
            StageNode? source = null;
            if (!need.IsFile)
            {
                if (others.GetValueOrDefault(need.Source) is not { } known)
                {
                    incomplete = true; // Unknown or broken itself, and reported there.
                    continue;
                }

                source = known;
            }
            else if (need.Source.Contains('\0') || !FileIdentity.IsRegularFile(Path.GetFullPath(need.Source, document.Folder)))
            {
                Find("SCAL3004", $"There is no file '{PipelineDiagnostics.OnOneLine(need.Source)}' ({PipelineDiagnostics.OnOneLine(need.Source.Contains('\0') ? need.Source : Path.GetFullPath(need.Source, document.Folder))}).", need.Location, "Paths are relative to the pipeline file.");
                incomplete = true;
                continue;
            }

            incomplete |= !TryBind(document, stage, type, need, source, bindings);
        }

        foreach (var role in roles)
        {
            var bound = bindings.Where(b => b.Role == role).ToArray();
            if (bound.Length > 1 && role.Cardinality != Cardinality.Many)
            {
                string sources = string.Join(" and ", bound.Select(b => $"'{b.Source?.Id ?? b.File}'"));
                Find("SCAL3003", $"The role '{role.Name}' of '{stage.Uses}' takes one input, and {sources} give {role.Kind}.", stage.Needs[0].Location,
                    $"Say which one: needs: {{{role.Name}: {bound[0].Source?.Id ?? bound[0].File}}}.");
            }
            else if (bound.Length == 0 && role.Cardinality == Cardinality.One && !incomplete)
            {
                string givers = Givers(role, others);
                Find("SCAL3002", $"The stage '{stage.Id}' ({stage.Uses}) needs {role.Kind} for its role '{role.Name}', and nothing in its needs gives any.",
                    stage.Location, givers.Length > 0 ? $"Add {givers} to its needs." : $"Add a stage that gives {role.Kind}, or a file: needs: {{{role.Name}: {role.Kind}.csv}}.");
            }
        }

        return [.. roles.SelectMany(role => bindings.Where(b => b.Role == role))];
    }

    private bool TryBind(PipelineDocument document, StageDocument stage, StageType type, Need need, StageNode? source, List<Binding> bindings)
    {
        InputRole[] roles = [.. type.Declaration.Inputs.Where(r => !r.Feedback)];
        string? file = need.IsFile ? Path.GetFullPath(need.Source, document.Folder) : null;
        if (need.Role is { } name)
        {
            if (type.Declaration.Inputs.FirstOrDefault(r => r.Feedback && r.Name == name) is { } back)
            {
                Find("SCAL3037", $"The role '{name}' of '{stage.Uses}' takes what the round before gave, and '{PipelineDiagnostics.Shown(need.Source)}' stands in needs.", need.Location,
                    $"Write 'feedback: STAGE' with a stage that gives {back.Kind} and needs '{stage.Id}', or remove it.");
                return false;
            }

            if (roles.FirstOrDefault(r => r.Name == name) is not { } role)
            {
                Find("SCAL3007", $"'{stage.Uses}' has no role '{PipelineDiagnostics.Shown(name)}'. It has: {Words(roles.Select(r => r.Name))}.", need.Location, NearestSpelling.Hint(name, roles.Select(r => r.Name)));
                return false;
            }

            if (source is not null && !Kinds(source).Contains(role.Kind))
            {
                Find("SCAL3008", $"The role '{name}' takes {role.Kind}, and '{source.Id}' gives {Words(Kinds(source))}.", need.Location);
                return false;
            }

            bindings.Add(new Binding(role, source, file));
            return true;
        }

        // Of roles of one kind the one that bears its name is meant, where there is one: the others are asked for by name.
        var fitting = roles.Where(r => Kinds(source!).Contains(r.Kind) && (r.Name == r.Kind || !roles.Any(o => o.Name == r.Kind && o.Kind == r.Kind))).ToArray();
        if (fitting.Length == 0)
        {
            Find("SCAL3008", $"'{stage.Uses}' takes {Words(roles.Select(r => r.Kind))}, and '{source!.Id}' gives {Words(Kinds(source))}.", need.Location, "Remove it from needs.");
            return false;
        }

        // Two roles of one kind: which one is meant, only the user knows.
        if (fitting.GroupBy(r => r.Kind).FirstOrDefault(g => g.Count() > 1) is { } ambiguous)
        {
            Find("SCAL3003", $"'{source!.Id}' gives {ambiguous.Key}, which fits the roles {Words(ambiguous.Select(r => r.Name))} of '{stage.Uses}'.", need.Location,
                $"Say which one: needs: {{{ambiguous.First().Name}: {source.Id}}}.");
            return false;
        }

        bindings.AddRange(fitting.Select(role => new Binding(role, source, null)));
        return true;
    }

    /// <summary>Binds what comes back: by kind to the stages that are named, and the stage's own outputs to what is left.</summary>
    private List<FeedbackBinding> Feedback(PipelineDocument document, StageDocument stage, StageType type, Dictionary<string, StageType> types)
    {
        InputRole[] roles = [.. type.Declaration.Inputs.Where(r => r.Feedback)];
        var bindings = new List<FeedbackBinding>();
        if (roles.Length == 0)
        {
            Find("SCAL3033", $"'{stage.Uses}' takes no feedback, and the stage '{stage.Id}' has some from '{PipelineDiagnostics.Shown(stage.Feedback[0].Source)}'.", stage.Feedback[0].Location,
                $"Remove 'feedback:'; 'dotnet scaling stage {stage.Uses}' says what it takes.");
            return bindings;
        }

        foreach (var source in stage.Feedback)
        {
            // Unknown stages and types, and the stage itself, are reported elsewhere.
            if (source.Source == stage.Id || document.Stages.FirstOrDefault(s => s.Id == source.Source) is not { } giver || !types.TryGetValue(giver.Uses, out var gives))
            {
                continue;
            }

            string[] kinds = Kinds(gives.Declaration);
            InputRole[] fitting = [.. roles.Where(r => kinds.Contains(r.Kind))];
            if (fitting.Length == 0)
            {
                Find("SCAL3034", $"'{stage.Uses}' takes {Words(roles.Select(r => r.Kind))} as feedback, and '{giver.Id}' gives {Words(kinds)}.", source.Location, "Name a stage that gives that, or remove this one from 'feedback:'.");
            }

            foreach (var role in fitting)
            {
                if (role.Cardinality != Cardinality.Many && bindings.FirstOrDefault(b => b.Role == role) is { } other)
                {
                    Find("SCAL3003", $"The role '{role.Name}' of '{stage.Uses}' takes one input, and '{other.Stage}' and '{giver.Id}' give {role.Kind}.", source.Location, "Keep one of them in 'feedback:'.");
                }

                bindings.Add(new FeedbackBinding(role, giver.Id));
            }
        }

        string[] own = Kinds(type.Declaration);
        bindings.AddRange(roles.Where(r => own.Contains(r.Kind) && bindings.All(b => b.Role != r)).Select(r => new FeedbackBinding(r, stage.Id)));
        return [.. roles.SelectMany(role => bindings.Where(b => b.Role == role))];
    }

    /// <summary>Circles of feedback; where a stage is in two of them, or two wait for each other, that is reported, and none is given.</summary>
    private IReadOnlyList<FeedbackCircle> Circles(IReadOnlyList<StageDocument> stages)
    {
        var circles = FeedbackCircle.In(stages);
        for (int i = 0; i < circles.Count; i++)
        {
            foreach (var other in circles.Take(i))
            {
                var shared = circles[i].Members.Intersect(other.Members).ToArray();
                if (shared.Length > 0)
                {
                    Report(other, circles[i], $"The stage '{shared[0]}' is in two circles of feedback, {other} and {circles[i]}.");
                }
            }
        }

        if (_findings.All(f => f.Code != "SCAL3035") && circles.Count > 1)
        {
            var ordered = InOrder(stages, circles).Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
            var possible = InOrder(stages, []).Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
            FeedbackCircle[] waiting = [.. circles.Where(c => !ordered.Contains(c.Lister) && c.Members.All(possible.Contains))];
            if (waiting is [var first, var second, ..])
            {
                Report(first, second, $"The circles of feedback {first} and {second} need each other, and each would wait for the other's end.");
            }
        }

        return _findings.Any(f => f.Code == "SCAL3035") ? [] : circles;

        void Report(FeedbackCircle one, FeedbackCircle other, string what) =>
            Find("SCAL3035", what, stages.First(s => s.Id == other.Lister).Feedback[0].Location, $"Remove one 'feedback:', of '{one.Lister}' or of '{other.Lister}'.");
    }

    private static string[] Kinds(StageNode source) => Kinds(source.Declaration);

    private static string[] Kinds(StageDeclaration source) => [.. source.Outputs.Where(o => !o.Volatile).Select(o => o.Kind).Distinct()];

    private static string Givers(InputRole role, Dictionary<string, StageNode?> others) =>
        Words(others.Values.OfType<StageNode>().Where(o => Kinds(o).Contains(role.Kind)).Select(o => $"'{o.Id}'"));

    private static string Words(IEnumerable<string> words) => string.Join(", ", words.Distinct());

    /// <summary>Each stage after those it needs, and a circle's stages together after all that they need; what is on a cycle, which the reader reported, is left out.</summary>
    private static List<StageDocument> InOrder(IReadOnlyList<StageDocument> stages, IReadOnlyList<FeedbackCircle> circles)
    {
        var ordered = new List<StageDocument>();
        var waiting = stages.ToList();
        var open = stages.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        var circleOf = circles.SelectMany(c => c.Members.Select(id => (id, c))).ToDictionary(m => m.id, m => m.c, StringComparer.Ordinal);
        while (waiting.FirstOrDefault(Begins) is { } next)
        {
            Place(next);
            while (circleOf.TryGetValue(next.Id, out var circle) && waiting.FirstOrDefault(s => circle.Others.Contains(s.Id) && Ready(s)) is { } other)
            {
                Place(other);
            }
        }

        return ordered;

        bool Ready(StageDocument stage) => stage.Needs.All(n => !open.Contains(n.Source));

        bool Begins(StageDocument stage) => !circleOf.TryGetValue(stage.Id, out var circle) ? Ready(stage)
            : stage.Id == circle.Lister && waiting.Where(s => circle.Members.Contains(s.Id)).All(s => s.Needs.All(n => !open.Contains(n.Source) || circle.Members.Contains(n.Source)));

        void Place(StageDocument stage)
        {
            ordered.Add(stage);
            waiting.Remove(stage);
            open.Remove(stage.Id);
        }
    }

    private void Find(string code, string message, SourceLocation location, string? hint = null) =>
        _findings.Add(new Diagnostic(code, message) { Location = location, Hint = hint });
}
