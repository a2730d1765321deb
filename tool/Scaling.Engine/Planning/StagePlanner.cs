// From a stage and its inputs to actions with keys. KEYS.md says what stands in a key, and in which order.
using System.Globalization;
using System.Text.Json.Nodes;
using Scaling.Engine.Keys;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>Plans stages, one at a time, as their inputs become known. Pure but for reading input tables.</summary>
/// <param name="pipeline">Whose seed and stages they are.</param>
/// <param name="store">Holds input tables and digests files of the user.</param>
public sealed class StagePlanner(Pipeline pipeline, ContentStore store)
{
    private const int LongestPoint = 150;
    private const int RowsForOneProcessor = 1000; // Below, starting others takes longer than they save.

    /// <summary>The actions of a stage.</summary>
    /// <param name="stage">One of the pipeline's.</param>
    /// <param name="results">Of every stage that it needs.</param>
    /// <param name="packages">Its native packages with everything that they stand for; null: as its plugin names them.</param>
    /// <param name="before">What its circle's stages gave in the round before; null in the first round, and outside circles.</param>
    /// <exception cref="StageFailedException">Its table of rows lacks a column, or is no table.</exception>
    public StagePlan Plan(
        StageNode stage, IReadOnlyDictionary<string, StageResult> results, IReadOnlyList<NativePackage>? packages = null, IReadOnlyDictionary<string, StageResult>? before = null)
    {
        var natives = packages ?? stage.Natives;
        var declaration = stage.Declaration;
        var fanOut = declaration.FanOut;
        var inputs = Inputs(stage, before).Where(b => b.Role.Name != fanOut?.Role).ToArray();
        var bound = inputs.SelectMany(b => Bind(b, Array.FindIndex(inputs, i => i.Role == b.Role), inputs, b.Role.Feedback ? before! : results)).ToArray();
        var spec = new ActionSpec
        {
            Key = "",
            Entries = [],
            Assembly = stage.Type.Assembly,
            Stage = declaration.Type,
            Settings = WithFiles(stage.Settings, stage.Files, stage.Declaration.Prepare),
            PipelineSeed = declaration.UsesPipelineSeed ? pipeline.Seed : 0,
            Inputs = [.. bound.Select(b => b.Input)],
            Reads = Reads(stage.Files.Where(f => !ReadBy(stage.Declaration.Prepare, f))),
            NativeFolders = [.. natives.Select(n => n.Folder).OfType<string>()],
            Exclusive = declaration.Exclusive,
        };
        var prepare = declaration.Prepare is null ? null : Prepare(stage, spec, declaration.Prepare, natives);
        KeyEntry[] inputEntries = [.. bound.Select(b => b.Entry)];
        var digests = new Dictionary<Binding, string>();
        foreach (var one in bound.Where(b => b.Of.File is not null))
        {
            digests[one.Of] = one.Input.Sha256;
        }

        if (fanOut is null)
        {
            return new StagePlan(stage, prepare, [Keyed(spec, [.. Common(stage, "run", natives), .. After(stage, stage.Settings, prepare), .. inputEntries])]) { Natives = natives, Digests = digests };
        }

        var rows = Rows(stage, fanOut, results, digests);
        return new StagePlan(stage, prepare, FanOut(stage, spec, fanOut, rows, prepare, [.. Common(stage, "run", natives)], inputEntries)) { Natives = natives, Digests = digests };
    }

    /// <summary>What is bound, what came back included, in the order of the type's roles.</summary>
    private IEnumerable<Binding> Inputs(StageNode stage, IReadOnlyDictionary<string, StageResult>? before) => before is null || stage.Feedback.Count == 0 ? stage.Inputs :
        stage.Declaration.Inputs.SelectMany(role => stage.Inputs.Where(b => b.Role == role)
            .Concat(stage.Feedback.Where(f => f.Role == role).Select(f => new Binding(role, pipeline.Stages.First(s => s.Id == f.Stage), null))));

    private List<ActionSpec> FanOut(StageNode stage, ActionSpec spec, FanOut fanOut, Table rows, ActionSpec? prepare, KeyEntry[] common, KeyEntry[] inputEntries)
    {
        var actions = new List<Candidate>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        string[] optional = [.. fanOut.Optional.Keys.Order(StringComparer.Ordinal)];
        foreach (var (settings, factor) in Across(stage.Settings, fanOut.Across))
        {
            var before = After(stage, settings, prepare);
            var withFiles = WithFiles(settings, stage.Files, stage.Declaration.Prepare);
            var made = new Candidate[rows.Rows.Count];
            if (made.Length < RowsForOneProcessor)
            {
                for (int i = 0; i < made.Length; i++)
                {
                    made[i] = Make(rows[i]);
                }
            }
            else
            {
                Parallel.For(0, made.Length, i => made[i] = Make(rows[i]));
            }

            actions.AddRange(made.Where(candidate => keys.Add(candidate.Spec.Key)));

            Candidate Make(Row row)
            {
                var cells = new Dictionary<string, string>(fanOut.Reads.Count, StringComparer.Ordinal);
                var telling = new List<KeyEntry>(fanOut.Reads.Count);
                foreach (string column in fanOut.Reads)
                {
                    Add(column, row.Text(column));
                }

                foreach (string column in optional)
                {
                    Add(column, rows.Has(column) ? row.Text(column) : fanOut.Optional[column]);
                }

                KeyEntry[] entries = [.. common, .. before, .. telling, .. inputEntries];
                string[] order = [.. fanOut.Point.Select(c => cells[c]), .. factor is null ? Array.Empty<string>() : [factor]];
                return new Candidate(spec with { Key = ActionKey.Of(entries), Entries = entries, Settings = withFiles, Row = cells, Point = PointName(Name(fanOut, cells, factor)) }, order);

                void Add(string column, string cell)
                {
                    cells.Add(column, cell);
                    if (!IsUsual(fanOut, column, cell))
                    {
                        telling.Add(new KeyEntry(EntryKind.Row, column, cell));
                    }
                }
            }
        }

        // A row's folder stands beside the stage's tables and what the run itself writes there.
        var taken = new HashSet<string>(["logs", "failed.csv", .. stage.Declaration.Outputs.Select(o => o.Name.Split('/')[0])], StringComparer.OrdinalIgnoreCase);
        return
        [
            .. InOrder(actions).Select(a => taken.Add(a.Point!) ? a : a with { Point = $"{a.Point}-{a.Key[..8]}" }),
        ];
    }

    private static bool IsUsual(FanOut fanOut, string column, string cell) => fanOut.Optional.TryGetValue(column, out string? usual) && cell == usual;

    private static string[] Name(FanOut fanOut, Dictionary<string, string> cells, string? factor) =>
    [
        .. fanOut.Point.Where(c => !IsUsual(fanOut, c, cells[c])).Select(c => fanOut.Optional.ContainsKey(c) ? $"{c}_{cells[c]}" : cells[c]),
        .. factor is null ? Array.Empty<string>() : [factor],
    ];

    private static ActionSpec Prepare(StageNode stage, ActionSpec spec, PrepareAction prepare, IReadOnlyList<NativePackage> natives)
    {
        var settings = new JsonObject();
        foreach (string name in prepare.Reads)
        {
            if (stage.Settings[name] is { } value)
            {
                settings[name] = value.DeepClone();
            }
        }

        ResolvedFiles[] files = [.. stage.Files.Where(f => ReadBy(prepare, f))];
        var prepared = spec with { Kind = ActionKind.Prepare, Settings = WithFiles(settings, files, null), Inputs = [], Reads = Reads(files), Exclusive = false };
        return Keyed(prepared, [.. Common(stage, "prepare", natives), .. Settings(settings, files), .. FileEntries(files), .. Seed(spec, stage)]);
    }

    /// <summary>Whether rows get the files only through what the prepare action made of them.</summary>
    private static bool ReadBy(PrepareAction? prepare, ResolvedFiles files) => prepare?.Reads.Contains(files.Setting.Split('.')[0]) ?? false;

    private static IReadOnlyList<ReadFile> Reads(IEnumerable<ResolvedFiles> files) =>
        [.. files.SelectMany(f => f.Files).Select(f => new ReadFile(f.Path, f.Sha256))];

    private static ActionSpec Keyed(ActionSpec spec, IReadOnlyList<KeyEntry> entries) => spec with { Key = ActionKey.Of(entries), Entries = entries };

    internal static List<KeyEntry> Common(StageNode stage, string action, IReadOnlyList<NativePackage>? natives = null) =>
    [
        new(EntryKind.Format, "key", ActionKey.FormatRevision),
        new(EntryKind.Stage, "type", stage.Declaration.Type),
        new(EntryKind.Stage, "action", action),
        new(EntryKind.Contract, "revision", $"{stage.Type.Descriptor.ContractRevision}"),
        new(EntryKind.Framework, "major", $"{Environment.Version.Major}"),
        .. stage.Type.CodeEntries,
        .. (natives ?? stage.Natives).Select(n => n.Entry),
        new(EntryKind.Determinism, "declared", Words.Of(stage.Declaration.Determinism)),
    ];

    /// <summary>Settings, files, seed, device and prepare action.</summary>
    private List<KeyEntry> After(StageNode stage, JsonObject settings, ActionSpec? prepare)
    {
        // What only the prepare action reads reaches the rows through its key.
        List<KeyEntry> entries = [.. Settings(settings, stage.Files), .. FileEntries(stage.Files)];
        if (stage.Declaration.UsesPipelineSeed)
        {
            entries.Add(new KeyEntry(EntryKind.Seed, "pipeline", $"{pipeline.Seed}"));
        }

        if (stage.Declaration.Exclusive)
        {
            entries.Add(new KeyEntry(EntryKind.Device, "class", stage.DeviceClass ?? (stage.AwaitsNode ? "not known yet" : DeviceClass.OfThisMachine)));
        }

        if (prepare is not null)
        {
            entries.Add(new KeyEntry(EntryKind.Prepare, "key", prepare.Key));
        }

        return entries;
    }

    private static KeyEntry[] Seed(ActionSpec spec, StageNode stage) =>
        stage.Declaration.UsesPipelineSeed ? [new KeyEntry(EntryKind.Seed, "pipeline", $"{spec.PipelineSeed}")] : [];

    /// <summary>A setting each, nested ones by dotted path, those that name files left to <see cref="FileEntries"/>.</summary>
    internal static IEnumerable<KeyEntry> Settings(JsonObject settings, IReadOnlyList<ResolvedFiles> files)
    {
        var leaves = new List<KeyEntry>();
        var named = files.Select(f => f.Setting).ToHashSet(StringComparer.Ordinal);
        Flatten(settings, "");
        leaves.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return leaves.Where(leaf => !named.Contains(leaf.Name));

        void Flatten(JsonObject values, string prefix)
        {
            foreach (var (name, value) in values)
            {
                if (value is JsonObject nested)
                {
                    if (nested.All(inner => inner.Value is null))
                    {
                        leaves.Add(new KeyEntry(EntryKind.Setting, prefix + name, "{}")); // A record that says nothing is still not an absent one.
                    }

                    Flatten(nested, $"{prefix}{name}.");
                }
                else if (value is not null)
                {
                    leaves.Add(new KeyEntry(EntryKind.Setting, prefix + name, value.ToJsonString()));
                }
            }
        }
    }

    internal static IEnumerable<KeyEntry> FileEntries(IEnumerable<ResolvedFiles> files) =>
        files.OrderBy(f => f.Setting, StringComparer.Ordinal).SelectMany(f => f.Files
            .Select((file, i) => new KeyEntry(EntryKind.Files, $"{f.Setting}[{i}]", file.Sha256))
            .Prepend(new KeyEntry(EntryKind.Files, f.Setting, f.Scheme)));

    private IEnumerable<Bound> Bind(
        Binding binding, int firstOfRole, Binding[] all, IReadOnlyDictionary<string, StageResult> results)
    {
        int index = Array.IndexOf(all, binding) - firstOfRole;
        string role = binding.Role.Name;
        if (binding.File is { } path)
        {
            string digest = store.Digest(path);
            yield return new Bound(binding, new ActionInput(role, Path.GetFileName(path), null, digest, path, null), new KeyEntry(EntryKind.Input, $"{role}[{index}]", digest));
            yield break;
        }

        foreach (var file in results[binding.Source!.Id].OfKind(binding.Role.Kind))
        {
            string name = file.Point is null ? $"{role}[{index}]" : $"{role}[{index}]@{file.Point}";
            yield return new Bound(
                binding,
                new ActionInput(role, Path.GetFileName(file.Name), file.Point, file.Sha256, store.ContentPath(file), file.Inline),
                new KeyEntry(EntryKind.Input, name, file.Sha256));
        }
    }

    private Table Rows(StageNode stage, FanOut fanOut, IReadOnlyDictionary<string, StageResult> results, Dictionary<Binding, string> digests)
    {
        var binding = stage.Inputs.First(b => b.Role.Name == fanOut.Role);
        Table table;
        if (binding.File is { } path)
        {
            (table, digests[binding]) = OfUser(path);
        }
        else
        {
            table = Given(stage, binding.Source!, results[binding.Source!.Id].OfKind(binding.Role.Kind).FirstOrDefault());
        }

        string[] missing = [.. fanOut.Reads.Where(c => !table.Has(c))];
        return missing.Length == 0
            ? table
            : throw new StageFailedException([new Diagnostic("SCAL3009",
                $"The stage '{stage.Id}' ({stage.Declaration.Type}) reads the column(s) {string.Join(", ", missing)} of '{binding.Source?.Id ?? binding.File}', which has {string.Join(", ", table.Columns)}.")
            { Location = stage.Location }]);
    }

    /// <summary>A table of the user with its digest. It may be edited at any time: what is digested is what was read.</summary>
    private (Table Table, string Sha256) OfUser(string path)
    {
        while (true)
        {
            string before = store.Digest(path);
            var table = Table.Read(path);
            if (store.Digest(path) == before)
            {
                return (table, before);
            }
        }
    }

    private Table Given(StageNode stage, StageNode source, StoredFile? file)
    {
        try
        {
            return Table.Parse(System.Text.Encoding.UTF8.GetString(store.Content(file ?? throw new FormatException("it was not written"))));
        }
        catch (FormatException e)
        {
            throw new StageFailedException([new Diagnostic("SCAL3102", $"What '{source.Id}' ({source.Declaration.Type}) gave as the rows of '{stage.Id}' ({stage.Declaration.Type}) is no table: {e.Message}.")
            {
                Location = stage.Location, Hint = $"This is a defect of the stage type '{source.Declaration.Type}'.",
            }]);
        }
    }

    /// <summary>The settings once for each element of the list that the rows multiply with.</summary>
    private static IEnumerable<(JsonObject Settings, string? Factor)> Across(JsonObject settings, string? across)
    {
        if (across is null || settings[across] is not JsonArray elements)
        {
            yield return (settings, null);
            yield break;
        }

        foreach (var element in elements)
        {
            var one = settings.DeepClone().AsObject();
            one[across] = new JsonArray(element?.DeepClone());
            yield return (one, element is JsonValue value && value.TryGetValue(out string? text) ? text : element?.ToJsonString() ?? "");
        }
    }

    private static JsonObject WithFiles(JsonObject settings, IEnumerable<ResolvedFiles> files, PrepareAction? prepare)
    {
        var complete = settings.DeepClone().AsObject();
        foreach (var file in files)
        {
            string[] path = file.Setting.Split('.');
            var holder = path[..^1].Aggregate(complete, (at, name) => at[name]!.AsObject());
            holder[path[^1]] = (ReadBy(prepare, file) ? file with { Files = [] } : file).ToSetting();
        }

        return complete;
    }

    /// <summary>A folder's name: other characters than letters, digits and <c>. _ + -</c> become <c>_</c>, and it ends where file systems have no room.</summary>
    private static string PointName(string[] parts)
    {
        string name = string.Concat(string.Join('.', parts).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '+' or '-' ? c : '_'));
        name = name.Length > LongestPoint ? name[..LongestPoint] : name;
        return name.Length == 0 || name[0] == '.' ? "_" + name : name;
    }

    /// <summary>By the columns of the point: a column of numbers by value, any other by ordinal; what is equal there as it came.</summary>
    private static IEnumerable<ActionSpec> InOrder(List<Candidate> actions)
    {
        int columns = actions.Count == 0 ? 0 : actions[0].Order.Length;
        var numbers = new double[]?[columns]; // By column and place in the list; null for a column of texts.
        for (int c = 0; c < columns; c++)
        {
            var values = new double[actions.Count];
            int read = 0;
            while (read < values.Length && double.TryParse(actions[read].Order[c], NumberStyles.Float, CultureInfo.InvariantCulture, out values[read]))
            {
                read++;
            }

            numbers[c] = read == values.Length ? values : null;
        }

        for (int i = 0; i < actions.Count; i++)
        {
            actions[i].Place = i;
        }

        Candidate[] ordered = [.. actions];
        Array.Sort(ordered, Compare);
        return ordered.Select(a => a.Spec);

        int Compare(Candidate one, Candidate other)
        {
            for (int c = 0; c < columns; c++)
            {
                int by = numbers[c] is { } values ? values[one.Place].CompareTo(values[other.Place]) : string.CompareOrdinal(one.Order[c], other.Order[c]);
                if (by != 0)
                {
                    return by;
                }
            }

            return one.Place.CompareTo(other.Place);
        }
    }

    /// <summary>An input with what the key says of it.</summary>
    private sealed record Bound(Binding Of, ActionInput Input, KeyEntry Entry);

    /// <summary>An action with the cells that it is ordered by.</summary>
    private sealed record Candidate(ActionSpec Spec, string[] Order)
    {
        public int Place { get; set; }
    }
}
