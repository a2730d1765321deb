// The conformance suite finds what is wrong, one fact for each kind of mistake, and nothing where nothing is.
using System.Reflection;
using System.Text.Json.Nodes;
using Scaling.TestKit;
using Xunit.Sdk;

namespace Scaling.Sdk.Tests;

[Collection("stage conformance")]
public sealed class StageConformanceTests
{
    private static readonly string[] Facts = [.. Suite<Sound>.Names()];

    [Fact]
    public void A_sound_stage_passes_every_fact() => Assert.All(Facts, fact => Assert.Null(Failure(new Suite<Sound>(), fact)));

    [Theory]
    [InlineData(typeof(TwoOutputs), "Its_declaration_does_not_contradict_itself", "with two outputs 'sums.csv'")]
    [InlineData(typeof(Capitals), "Its_type_is_a_word_for_YAML_and_its_summary_a_sentence", "Write for example 'faulty-stage'")]
    [InlineData(typeof(OneWord), "Its_type_is_a_word_for_YAML_and_its_summary_a_sentence", "'Adds' is no sentence")]
    [InlineData(typeof(NoUnit), "Its_type_is_a_word_for_YAML_and_its_summary_a_sentence", "has no unit")]
    [InlineData(typeof(TooLittle), "It_writes_its_outputs_and_nothing_else", "'sums.csv' of its action was not written")]
    [InlineData(typeof(Undeclared), "It_writes_its_outputs_and_nothing_else", "'notes.txt' was written among the outputs")]
    [InlineData(typeof(Beside), "It_writes_its_outputs_and_nothing_else", "'out/notes.txt' was written outside")]
    [InlineData(typeof(ChangesInput), "It_writes_its_outputs_and_nothing_else", "The input 'in/values/0/values.csv' was changed")]
    [InlineData(typeof(CurrentDirectory), "Nothing_of_the_machine_enters_its_outputs", "'notes.txt' was written into the current directory")]
    [InlineData(typeof(Other), "Its_tables_have_their_declared_columns", "has the columns wert where value are declared")]
    [InlineData(typeof(Randomly), "It_gives_the_same_bytes_again", "'sums.csv' of its action: line 2 is")]
    [InlineData(typeof(Year), "Nothing_of_the_machine_enters_its_outputs", "Take the time from context.Time into volatile outputs alone")]
    [InlineData(typeof(InputPath), "Nothing_of_the_machine_enters_its_outputs", "write no absolute path")]
    [InlineData(typeof(Commas), "It_gives_the_same_bytes_in_another_culture", "line 2 is '2.5' and '\"2,5\"'")]
    [InlineData(typeof(Deaf), "A_stop_ends_it_soon", "Call context.Stop.ThrowIfCancellationRequested()")]
    [InlineData(typeof(Interrupted), "A_stop_ends_it_soon", "throws IOException: interrupted")]
    [InlineData(typeof(Least), "Odd_settings_are_refused_with_diagnostics", "With add: 0 it throws InvalidOperationException: not thought of")]
    [InlineData(typeof(EmptyTable), "Wrong_inputs_are_refused_with_diagnostics", "With an empty file as 'values' it throws InvalidOperationException")]
    public void A_fault_is_found_by_its_fact_and_named(Type fault, string fact, string words)
    {
        string? failure = Failure(Activator.CreateInstance(typeof(Suite<>).MakeGenericType(fault))!, fact);
        Assert.Contains(words, failure ?? $"{fact} passes", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Its_settings_are_described_and_their_numbers_have_units", "The setting 'word' is not described. Add [Description(\"…\")].\n- The setting 'count' is a number without a unit.")]
    [InlineData("Its_defaults_are_values_that_it_would_accept", "The default of 'wide' is 11, above its maximum 10.")]
    [InlineData("Its_settings_record_holds_what_its_schema_says", "The setting 'twice' cannot be set.")]
    public void Mistaken_settings_are_found(string fact, string words) => Assert.Contains(words, Failure(new Mistaken(), fact) ?? $"{fact} passes", StringComparison.Ordinal);

    [Fact]
    public void A_batch_that_loses_rows_is_found()
    {
        string failure = Failure(new FaultyBatch(), "A_batch_publishes_each_row_when_it_is_done")!;
        Assert.Contains("row never was not published", failure, StringComparison.Ordinal);
        Assert.Contains("row early was published without 'row.txt'", failure, StringComparison.Ordinal);
        Assert.Contains("The outputs of row late changed after Publish()", failure, StringComparison.Ordinal);
        Assert.DoesNotContain("row sound", failure, StringComparison.Ordinal);
        Assert.Contains("Return where there are no rows", Failure(new FaultyBatch(), "A_batch_without_rows_is_nothing_to_do")!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_declaration_that_changes_from_one_instance_to_the_next_is_found() =>
        Assert.Contains("A declaration is a constant", Failure(new Changing(), "Its_descriptor_is_always_the_same_also_after_writing_and_reading")!, StringComparison.Ordinal);

    [Fact]
    public void A_sample_that_does_not_fit_the_stage_says_what_to_give()
    {
        Assert.Contains("give the sample one table, Inputs = { [\"rows\"]", Failure(new NoRows(), "It_writes_its_outputs_and_nothing_else")!, StringComparison.Ordinal);
        Assert.Contains("Mend the stage, or give a sample that it works on", Failure(new NoInput(), "It_writes_its_outputs_and_nothing_else")!, StringComparison.Ordinal);
    }

    /// <summary>How a fact fails; null where it passes.</summary>
    private static string? Failure(object suite, string fact)
    {
        try
        {
            suite.GetType().GetMethod(fact)!.Invoke(suite, null);
            return null;
        }
        catch (TargetInvocationException e) when (e.InnerException is XunitException failure)
        {
            return failure.Message;
        }
    }

    private sealed class Suite<TFault> : StageConformance<FaultyStage<TFault>>
        where TFault : IFault
    {
        protected override StageSample Sample => new()
        {
            Inputs = { ["values"] = [new SampleFile("values.csv", "value\n1\n2\n")] },
            LongSettings = new JsonObject { ["milliseconds"] = 3000 },
            StopWithin = TimeSpan.FromSeconds(1),
        };

        public static IEnumerable<string> Names() => typeof(Suite<TFault>).GetMethods().Where(m => m.IsDefined(typeof(FactAttribute))).Select(m => m.Name);
    }

    private sealed class Mistaken : StageConformance<MistakenSettingsStage>
    {
        protected override StageSample Sample => new();
    }

    private sealed class FaultyBatch : StageConformance<FaultyBatchStage>
    {
        protected override StageSample Sample => new() { Inputs = { ["rows"] = [new SampleFile("rows.csv", "id\nearly\nsound\nlate\nnever\n")] } };
    }

    private sealed class NoRows : StageConformance<FaultyBatchStage>
    {
        protected override StageSample Sample => new();
    }

    private sealed class NoInput : StageConformance<FaultyStage<Sound>>
    {
        protected override StageSample Sample => new();
    }

    private sealed class Changing : StageConformance<ChangingStage>
    {
        protected override StageSample Sample => new();
    }

    private sealed class Sound : IFault { public static Fault Fault => Fault.None; }

    private sealed class TwoOutputs : IFault { public static Fault Fault => Fault.TwoOutputsOfOneName; }

    private sealed class Capitals : IFault { public static Fault Fault => Fault.TypeInCapitals; }

    private sealed class OneWord : IFault { public static Fault Fault => Fault.SummaryOfOneWord; }

    private sealed class NoUnit : IFault { public static Fault Fault => Fault.ColumnWithoutUnit; }

    private sealed class TooLittle : IFault { public static Fault Fault => Fault.WritesTooLittle; }

    private sealed class Undeclared : IFault { public static Fault Fault => Fault.WritesUndeclared; }

    private sealed class Beside : IFault { public static Fault Fault => Fault.WritesBesideItsFolder; }

    private sealed class CurrentDirectory : IFault { public static Fault Fault => Fault.WritesIntoTheCurrentDirectory; }

    private sealed class ChangesInput : IFault { public static Fault Fault => Fault.ChangesItsInput; }

    private sealed class Other : IFault { public static Fault Fault => Fault.OtherColumns; }

    private sealed class Randomly : IFault { public static Fault Fault => Fault.RandomNumbers; }

    private sealed class Year : IFault { public static Fault Fault => Fault.TheTime; }

    private sealed class InputPath : IFault { public static Fault Fault => Fault.ItsFolder; }

    private sealed class Commas : IFault { public static Fault Fault => Fault.NumbersOfTheCulture; }

    private sealed class Deaf : IFault { public static Fault Fault => Fault.IgnoresStop; }

    private sealed class Interrupted : IFault { public static Fault Fault => Fault.ThrowsWhenStopped; }

    private sealed class Least : IFault { public static Fault Fault => Fault.ThrowsOnTheLeast; }

    private sealed class EmptyTable : IFault { public static Fault Fault => Fault.ThrowsOnAnEmptyTable; }
}
