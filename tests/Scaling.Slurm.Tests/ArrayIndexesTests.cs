// Indexes of arrays: read, written, and never guessed where a list was cut.
using CsCheck;
using Scaling.Engine.Executors.Slurm;

namespace Scaling.Slurm.Tests;

public sealed class ArrayIndexesTests
{
    [Theory]
    [InlineData("17", "17")]
    [InlineData("0-3", "0-3")]
    [InlineData("[0-3,7%2]", "0-3,7")]
    [InlineData("0-3,7,9-13:2%4", "0-3,7,9,11,13")]
    [InlineData("[1-15:2%3]", "1,3,5,7,9,11,13,15")]
    [InlineData("5,4,3,3", "3-5")]
    [InlineData("0-10:100", "0")]
    [InlineData("4000000", "4000000")]
    public void Lists_with_steps_brackets_and_limits_are_read(string text, string indexes) => Assert.Equal(indexes, ArrayIndexes.TryParse(text)!.ToString());

    [Theory]
    [InlineData("[0-3,...]")]
    [InlineData("[0-3,7")]
    [InlineData("[0-37")]
    [InlineData("0-3,...")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("N/A")]
    [InlineData("None")]
    [InlineData("0x1F")]
    [InlineData("3-1")]
    [InlineData("-1")]
    [InlineData("0-3:0")]
    [InlineData("0-3%")]
    [InlineData("4294967294")]
    [InlineData("0-99999999999")]
    [InlineData("1-2-3")]
    [InlineData("٣")]
    public void What_was_cut_short_or_is_none_is_not_guessed(string text) => Assert.Null(ArrayIndexes.TryParse(text));

    [Fact]
    public void What_is_written_is_read_back() => Gen.Int[0, 60].Array[1, 40].Sample(numbers =>
    {
        var indexes = ArrayIndexes.Of(numbers);
        var again = ArrayIndexes.TryParse($"[{indexes}%3]")!;
        return indexes == again && indexes.Count == numbers.Distinct().Count() && indexes.Each.SequenceEqual(numbers.Distinct().Order()) && Enumerable.Range(0, 61).All(i => again.Contains(i) == numbers.Contains(i))
            && again.Ranges.Zip(again.Ranges.Skip(1)).All(pair => pair.First.Last + 1 < pair.Second.First);
    });
}
