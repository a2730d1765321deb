// What every stage has to keep to, as xunit facts: a stage's tests derive from this class and give a sample.
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.Sdk;
using Scaling.TestKit.Conformance;
using Xunit;

namespace Scaling.TestKit;

/// <summary>
/// The conformance suite of a stage:
/// <code>
/// public sealed class SmoothConformance : StageConformance&lt;SmoothStage&gt;
/// {
///     protected override StageSample Sample => new() { Inputs = { ["runs"] = [new SampleFile("runs.csv", "…")] } };
/// }
/// </code>
/// Each failure says what is wrong and what to do. A fact that cannot hold for a stage is overridden with <c>[Fact(Skip = "why")]</c>. The suites of a test assembly run one after the other, since one of the facts changes the
/// process's current directory and time zone for a moment.
/// </summary>
/// <typeparam name="TStage">A public class with a parameterless constructor.</typeparam>
[Collection("stage conformance")]
public abstract partial class StageConformance<TStage>
    where TStage : class, IStage, new()
{
    /// <summary>What the stage is tried on. Called several times; each time the same.</summary>
    protected abstract StageSample Sample { get; }

    /// <summary>Roles have one name each, files stay below their folder, a fan-out is over a role that is there.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The declaration contradicts itself.</exception>
    [Fact]
    public virtual void Its_declaration_does_not_contradict_itself() => Demand(
        "The tool refuses this plugin (SCAL6010)",
        Declaration.Contradictions().Select(c => $"It declares a stage {c}."));

    /// <summary>YAML names it after <c>uses:</c>; help and the editor show its summary.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The type or the summary is not what people can use.</exception>
    [Fact]
    public virtual void Its_type_is_a_word_for_YAML_and_its_summary_a_sentence()
    {
        var findings = new List<string>();
        if (!TypeName().IsMatch(Declaration.Type))
        {
            findings.Add($"The type '{Declaration.Type}' is no lower-case word of letters, digits and dashes. Write for example '{Kebab(Declaration.Type)}'.");
        }

        if (Declaration.Summary.Trim() is not [_, .., '.' or '!' or '?'])
        {
            findings.Add($"The summary '{Declaration.Summary}' is no sentence. Say in one what the stage does, with a full stop.");
        }

        findings.AddRange(Declaration.Outputs.SelectMany(o => o.Columns.Where(c => c.Unit.Length == 0 || c.Meaning.Length == 0)
            .Select(c => $"The column '{c.Name}' of '{o.Name}' has no {(c.Unit.Length == 0 ? "unit" : "meaning")}. Write 1 as the unit of a pure number, 'text' for words.")));
        Demand("Nobody can tell what the stage is", findings);
    }

    /// <summary>The schema, the editor and the tool's help show descriptions and units.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">A setting lacks one.</exception>
    [Fact]
    public virtual void Its_settings_are_described_and_their_numbers_have_units() => Demand(
        "Who writes YAML cannot tell what to write",
        SettingsWalk.All(Schema).SelectMany(setting => new[]
        {
            setting.Schema["description"] is null ? $"The setting '{setting.Name}' is not described. Add [Description(\"…\")]." : null,
            SettingsWalk.IsNumeric(setting.Schema) && setting.Schema["x-unit"] is null ? $"The setting '{setting.Name}' is a number without a unit. Add [Unit(\"…\")], [Unit(\"1\")] for a pure number." : null,
        }.OfType<string>()));

    /// <summary>A pipeline that says nothing of a setting gets its default.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">A default is none that the tool would accept.</exception>
    [Fact]
    public virtual void Its_defaults_are_values_that_it_would_accept() => Demand(
        "The tool would refuse these defaults if somebody wrote them",
        SettingsWalk.All(Schema).Where(s => s.Schema["default"] is not null)
            .SelectMany(s => SettingsWalk.Misfits(s.Schema["default"], s.Schema).Select(misfit => $"The default of '{s.Name}' {misfit}. Change the initial value, or the range.")));

    /// <summary>What the schema promises can be set, and the record holds it.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">Schema and record differ.</exception>
    [Fact]
    public virtual void Its_settings_record_holds_what_its_schema_says()
    {
        var findings = new List<string>();
        var type = SettingsType();
        if (type.GetConstructor(Type.EmptyTypes) is null)
        {
            findings.Add($"{type.Name} has no parameterless constructor, so its defaults are lost. Write properties with initial values: public int Limit {{ get; init; }} = 10;");
        }

        findings.AddRange(SettingsSchema.Json.GetTypeInfo(type).Properties.Where(p => p.Set is null)
            .Select(p => $"The setting '{p.Name}' cannot be set. Give its property an init accessor, or make it a method."));
        var given = SettingsDefaults.Complete(Sample.Settings, Schema);
        try
        {
            var kept = (JsonObject)JsonSerializer.SerializeToNode(given.Deserialize(type, SettingsSchema.Json), type, SettingsSchema.Json)!;
            findings.AddRange(given.Where(s => s.Value is not null && !SettingsWalk.Holds(kept[s.Key], s.Value))
                .Select(s => $"The setting '{s.Key}' is {s.Value!.ToJsonString()} in the sample and {kept[s.Key]?.ToJsonString() ?? "absent"} in the record. An initial value, init accessor or converter changes it."));
        }
        catch (JsonException e)
        {
            findings.Add($"The sample's settings cannot be bound: {e.Message}. Give the sample every setting that is required, as YAML would.");
        }

        Demand("What YAML says is not what the stage sees", findings);
    }

    /// <summary>The tool describes a stage once for each content of its assembly, plans with what was written down, and never loads the stage.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The descriptor differs from one instance to the next, or reads otherwise than it was written.</exception>
    [Fact]
    public virtual void Its_descriptor_is_always_the_same_also_after_writing_and_reading()
    {
        string written = JsonSerializer.Serialize(StageDescriptor.Of(new TStage()), StageDescriptor.Json);
        string other = JsonSerializer.Serialize(StageDescriptor.Of(new TStage()), StageDescriptor.Json);
        string again = JsonSerializer.Serialize(JsonSerializer.Deserialize<StageDescriptor>(written, StageDescriptor.Json), StageDescriptor.Json);
        string[] findings =
        [
            .. written == other ? Array.Empty<string>() : [$"Two instances declare different things:\n{written}\n{other}\nA declaration is a constant: no time, no environment, no files."],
            .. written == again ? Array.Empty<string>() : [$"The descriptor\n{written}\nreads as\n{again}\nPut only the contract's own types into it."],
        ];
        Demand("The tool would plan from something else than the stage declares", findings);
    }

    /// <summary>The tool stores the declared outputs and throws away all else.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">An output is missing, or a file is there that nobody declared.</exception>
    [Fact]
    public virtual void It_writes_its_outputs_and_nothing_else()
    {
        using var trial = Ran();
        var findings = new List<string>();
        foreach (var action in trial.Actions)
        {
            var written = action.Written();
            findings.AddRange(Declaration.Outputs.Where(o => !o.Optional && !written.ContainsKey(o.Name))
                .Select(o => $"The output '{o.Name}' of {action.Name} was not written. Write it to context.Output(\"{o.Name}\") always, or declare it Optional."));
            findings.AddRange(written.Keys.Except(trial.DeclaredOutputs)
                .Select(name => $"'{name}' was written among the outputs of {action.Name} and is not declared. Declare it, or write it into context.WorkFolder."));
        }

        findings.AddRange(trial.Trespasses());
        Demand("What the stage writes is not what it declares", findings);
    }

    /// <summary>Whoever reads a table relies on its columns.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">A table has other columns than declared, or is none.</exception>
    [Fact]
    public virtual void Its_tables_have_their_declared_columns()
    {
        using var trial = Ran();
        var findings = new List<string>();
        foreach (var (action, output) in trial.Actions.SelectMany(a => Declaration.Outputs.Where(o => o.Columns.Count > 0).Select(o => (a, o))))
        {
            string path = Path.Combine(action.Context.OutputFolder, output.Name);
            string[] declared = [.. output.Columns.Select(c => c.Name)];
            try
            {
                if (File.Exists(path) && Table.Read(path) is var table && !table.Columns.SequenceEqual(declared))
                {
                    findings.Add($"'{output.Name}' of {action.Name} has the columns {string.Join(", ", table.Columns)} where {string.Join(", ", declared)} are declared. Build it with new TableBuilder(the declared columns).");
                }
            }
            catch (StageFailedException e)
            {
                findings.Add($"'{output.Name}' of {action.Name} is no table: {e.Message}");
            }
        }

        Demand("Who reads these tables would be misled", findings);
    }

    /// <summary>A hit of the cache stands for running the stage, so running it twice has to give the same bytes. Volatile outputs are aside, as are stages that declare to be less than exact.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">Two runs differ.</exception>
    [Fact]
    public virtual void It_gives_the_same_bytes_again()
    {
        if (Declaration.Determinism == Determinism.Exact)
        {
            using var first = Ran();
            using var second = Ran();
            Demand("Two runs on the same input gave different bytes", Differences(first, second, "Look for random numbers without a seed, the time, the order of a dictionary or of threads. What cannot be repeated belongs into an output declared Volatile."));
        }
    }

    /// <summary>The same where numbers have decimal commas and dates their days first. The tool itself knows the invariant culture alone; whoever else runs the code may not.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The culture enters the outputs.</exception>
    [Fact]
    public virtual void It_gives_the_same_bytes_in_another_culture()
    {
        using var here = Ran();
        using var there = Made(Sample);
        Demand(
            "In another culture the stage would give something else",
            Compared(here, there, Attempt.At(there.Run, Patience, DecimalCommas.Culture), "where numbers have decimal commas", "Format and parse with CultureInfo.InvariantCulture."));
    }

    /// <summary>The same at another time, in another time zone, folder and current directory.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The machine enters the outputs.</exception>
    [Fact]
    public virtual void Nothing_of_the_machine_enters_its_outputs()
    {
        using var here = Ran();
        using var elsewhere = new Elsewhere();
        using var there = new Trial(new TStage(), Sample, time: elsewhere.Time);
        var attempt = Attempt.At(there.Run, Patience);
        Demand("On another machine the stage would give something else",
        [
            .. elsewhere.WrittenHere.Select(name => $"'{name}' was written into the current directory. Write outputs to context.Output(name)."),
            .. Compared(here, there, attempt, "where the time zone and the folders are others", "Take the time from context.Time into volatile outputs alone, and write no absolute path."),
        ]);
    }

    /// <summary>A stop is asked for by Ctrl-C; the tool waits for the action to end.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The action goes on, or ends with another exception than <see cref="OperationCanceledException"/>.</exception>
    [Fact]
    public virtual void A_stop_ends_it_soon()
    {
        var sample = Sample.LongSettings is { } over ? Sample with { Settings = Overlaid(Sample.Settings, over) } : Sample;
        using var stop = new CancellationTokenSource();
        var trial = new Trial(new TStage(), sample, stop: stop.Token);
        if (Sample.LongSettings is null)
        {
            stop.Cancel();
        }
        else
        {
            stop.CancelAfter(TimeSpan.FromMilliseconds(300));
        }

        var attempt = Attempt.At(trial.Run, Sample.StopWithin + TimeSpan.FromMilliseconds(300));
        if (attempt.HasEnded)
        {
            trial.Dispose();
        }

        Demand("A stop does not end the stage in order", attempt switch
        {
            { HasEnded: false } => [$"It was still at work {Sample.StopWithin.TotalSeconds} seconds after the stop. Call context.Stop.ThrowIfCancellationRequested() in its loop."],
            { Failure: null or OperationCanceledException } => [],
            _ => [$"It {Fate(attempt)} where OperationCanceledException was expected. Let that exception through."],
        });
    }

    /// <summary>Rows that were published survive what happens to the rest of a batch. Holds for stages that take batches.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">A row was not published, before its outputs were there, or changed afterwards.</exception>
    [Fact]
    public virtual void A_batch_publishes_each_row_when_it_is_done()
    {
        if (Declaration.FanOut?.Mode != FanOutMode.Batch)
        {
            return;
        }

        using var trial = Ran();
        var findings = new List<string>();
        foreach (var action in trial.Actions)
        {
            if (action.Published is not { } published)
            {
                findings.Add($"{action.Name} was not published. Call Publish() on its context as soon as its outputs are written.");
                continue;
            }

            findings.AddRange(Declaration.Outputs.Where(o => !o.Optional && !published.ContainsKey(o.Name))
                .Select(o => $"{action.Name} was published without '{o.Name}'. Write all outputs before Publish()."));
            if (!published.SequenceEqual(action.Written()))
            {
                findings.Add($"The outputs of {action.Name} changed after Publish(). What is published is final.");
            }
        }

        Demand("Rows of a batch would be lost", findings);
    }

    /// <summary>Holds for stages that take batches.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">A batch without rows is taken for a mistake.</exception>
    [Fact]
    public virtual void A_batch_without_rows_is_nothing_to_do()
    {
        if (Declaration.FanOut?.Mode == FanOutMode.Batch)
        {
            using var trial = new Trial(new TStage(), Sample, rowsAtMost: 0);
            var attempt = Attempt.At(trial.Run, Patience);
            Demand("A batch of no rows fails", attempt is { HasEnded: true, Failure: null } ? [] : [$"It {Fate(attempt)}. Return where there are no rows."]);
        }
    }

    /// <summary>
    /// Each setting in turn is the least that its range allows, empty, or another of its words. The stage works with it or says in a <see cref="StageFailedException"/> what is wrong; any other exception
    /// would be reported as the stage's defect.
    /// </summary>
    /// <exception cref="Xunit.Sdk.XunitException">The stage throws something else, or never ends.</exception>
    [Fact]
    public virtual void Odd_settings_are_refused_with_diagnostics()
    {
        var given = SettingsDefaults.Complete(Sample.Settings, Schema);
        Demand("Settings that the tool lets through make the stage throw", SettingsWalk.All(Schema).SelectMany(setting => SettingsWalk.OddValues(setting.Schema)
            .Select(value => SettingsWalk.With(given, setting.Path, value) is { } settings
                ? Tried(Sample with { Settings = settings }, $"With {setting.Name}: {value.ToJsonString()} it", "Narrow its [Range] or words, or throw a StageFailedException that says what to write")
                : null)
            .OfType<string>()));
    }

    /// <summary>Each input in turn is empty, holds a header alone, or is rubbish, as is each file that a setting names.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The stage throws something else than a <see cref="StageFailedException"/>, or never ends.</exception>
    [Fact]
    public virtual void Wrong_inputs_are_refused_with_diagnostics()
    {
        var findings = new List<string>();
        foreach (var (role, files) in Sample.Inputs.Where(i => i.Key != Declaration.FanOut?.Role && i.Value.Count > 0))
        {
            foreach (var (what, wrong) in Wrongs(files[0]))
            {
                var inputs = new Dictionary<string, IReadOnlyList<SampleFile>>(Sample.Inputs) { [role] = [wrong, .. files.Skip(1)] };
                findings.AddRange(Tried(Sample with { Inputs = inputs }, $"With {what} as '{role}' it", "Say in a StageFailedException what was expected") is { } finding ? [finding] : []);
            }
        }

        foreach (var file in Sample.Files)
        {
            foreach (var (what, wrong) in Wrongs(file))
            {
                SampleFile[] others = [.. Sample.Files.Select(f => f.Name == file.Name ? wrong : f)];
                findings.AddRange(Tried(Sample with { Files = others }, $"With {what} as the file {file.Name} it", "Say in a StageFailedException what was expected") is { } finding ? [finding] : []);
            }
        }

        Demand("Files that are not what they should be make the stage throw", findings);
    }

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static StageDeclaration Declaration => new TStage().Declaration;

    private static JsonObject Schema => new TStage().SettingsSchema;

    private static Type SettingsType()
    {
        for (var type = typeof(TStage); type is not null; type = type.BaseType)
        {
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Stage<>))
            {
                return type.GetGenericArguments()[0];
            }
        }

        throw new InvalidOperationException($"{typeof(TStage).Name} does not derive from Stage<TSettings>");
    }

    /// <summary>The sample, run.</summary>
    private Trial Ran()
    {
        var trial = Made(Sample);
        var attempt = Attempt.At(trial.Run, Patience);
        if (attempt is not { HasEnded: true, Failure: null })
        {
            Assert.Fail($"On its sample {typeof(TStage).Name} {Fate(attempt)}. Mend the stage, or give a sample that it works on.\n{attempt.Failure}");
        }

        return trial;
    }

    private static Trial Made(StageSample sample)
    {
        try
        {
            return new Trial(new TStage(), sample);
        }
        catch (InvalidSampleException e)
        {
            Assert.Fail(e.Message);
            throw;
        }
    }

    /// <summary>What is wrong with how the stage takes a sample that it may refuse; null for nothing.</summary>
    private static string? Tried(StageSample sample, string what, string todo)
    {
        using var stop = new CancellationTokenSource(sample.StopWithin);
        var trial = new Trial(new TStage(), sample, rowsAtMost: 1, stop: stop.Token);
        var attempt = Attempt.At(trial.Run, 2 * sample.StopWithin);
        if (attempt.HasEnded)
        {
            trial.Dispose();
        }

        return attempt is { HasEnded: true, Failure: null or StageFailedException or OperationCanceledException } ? null : $"{what} {Fate(attempt)}. {todo}.";
    }

    private static string Fate(Attempt attempt) => attempt switch
    {
        { HasEnded: false } => "does not end, nor does it look at context.Stop",
        { Failure: { } thrown } => $"throws {thrown.GetType().Name}: {thrown.Message}{(thrown is StageFailedException or JsonException || thrown.StackTrace?.Split('\n')[0].Trim() is not { } place ? "" : $" ({place})")}",
        _ => "ends",
    };

    private static IEnumerable<(string What, SampleFile File)> Wrongs(SampleFile file)
    {
        yield return ("an empty file", file with { Content = [] });
        yield return ("a file of rubbish", file with { Content = [0xff, 0x00, 0x22, 0x0a, 0x2c, 0x7b, 0x80] });
        if (Array.IndexOf(file.Content, (byte)'\n') is > 0 and var end)
        {
            yield return ("the first line alone", file with { Content = file.Content[..(end + 1)] });
        }
    }

    private static IEnumerable<string> Compared(Trial here, Trial there, Attempt attempt, string where, string todo) =>
        attempt is not { HasEnded: true, Failure: null } ? [$"It {Fate(attempt)} {where}. {todo}"]
        : Declaration.Determinism == Determinism.Exact ? Differences(here, there, todo)
        : [];

    private static IEnumerable<string> Differences(Trial one, Trial other, string todo)
    {
        string[] repeatable = [.. Declaration.Outputs.Where(o => !o.Volatile).Select(o => o.Name)];
        foreach (var (a, b) in one.Actions.Zip(other.Actions))
        {
            var (first, second) = (a.Written(), b.Written());
            foreach (string name in repeatable.Where(name => first.GetValueOrDefault(name) != second.GetValueOrDefault(name)))
            {
                yield return $"'{name}' of {a.Name}: {FirstDifference(Path.Combine(a.Context.OutputFolder, name), Path.Combine(b.Context.OutputFolder, name))}. {todo}";
            }
        }
    }

    private static string FirstDifference(string one, string other)
    {
        if (!File.Exists(one) || !File.Exists(other))
        {
            return "written once, and once not";
        }

        string[] first = File.ReadAllLines(one), second = File.ReadAllLines(other);
        int line = first.Zip(second).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"line {line + 1} is '{Shown(first, line)}' and '{Shown(second, line)}'";
    }

    private static string Shown(string[] lines, int line) => line >= lines.Length ? "not there" : lines[line].Length > 120 ? lines[line][..120] + "…" : lines[line];

    private static JsonObject Overlaid(JsonObject settings, JsonObject over)
    {
        var result = (JsonObject)settings.DeepClone();
        foreach (var (name, value) in over)
        {
            result[name] = value?.DeepClone();
        }

        return result;
    }

    private static void Demand(string broken, IEnumerable<string> findings)
    {
        string[] all = [.. findings];
        if (all.Length > 0)
        {
            Assert.Fail($"{broken}.\n{string.Join('\n', all.Select(f => "- " + f))}");
        }
    }

    private static string Kebab(string type) => Regex.Replace(Regex.Replace(type, "(?<=[a-z0-9])(?=[A-Z])", "-").ToLowerInvariant(), "[^a-z0-9]+", "-").Trim('-');

    [GeneratedRegex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    private static partial Regex TypeName();
}
