// Numbers and durations as people write them.
using System.Globalization;
using CsCheck;
using Scaling.Engine.Pipelines;

namespace Scaling.Engine.Tests.Pipelines;

public class QuantityTests
{
    [Theory]
    [InlineData("16k", 16_000)]
    [InlineData("16e3", 16_000)]
    [InlineData("1.6E+4", 16_000)]
    [InlineData("0.5k", 500)]
    [InlineData("1.5M", 1_500_000)]
    [InlineData("2B", 2_000_000_000)]
    [InlineData("4Ki", 4096)]
    [InlineData("1Mi", 1_048_576)]
    [InlineData("1Gi", 1_073_741_824)]
    [InlineData("1.0", 1)]
    [InlineData("-3", -3)]
    [InlineData("+007", 7)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    public void A_whole_number_has_many_spellings(string text, long value)
    {
        Assert.True(Quantity.TryParse(text, out var quantity) && quantity.IsWhole);
        Assert.True(quantity.TryWhole(out long whole));
        Assert.Equal(value, whole);
    }

    [Theory]
    [InlineData(".5", 0.5)]
    [InlineData("5.", 5.0)]
    [InlineData("-0", 0.0)]
    [InlineData("4.7e-3", 0.0047)]
    [InlineData("0.1", 0.1)]
    [InlineData("1.1k", 1100.0)]
    [InlineData("1e300", 1e300)]
    [InlineData("0.0000001B", 100.0)]
    public void A_number_is_the_double_nearest_to_what_was_written(string text, double value)
    {
        Assert.True(Quantity.TryParse(text, out var quantity) && quantity.TryDouble(out _));
        Assert.True(quantity.TryDouble(out double number));
        Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(number));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData(".")]
    [InlineData("k")]
    [InlineData("1_000")]
    [InlineData("1,000")]
    [InlineData("16K")]
    [InlineData("16m")]
    [InlineData("16 k")]
    [InlineData("1e3k")]
    [InlineData("1e")]
    [InlineData("1e9999")]
    [InlineData("--1")]
    [InlineData(".-1")]
    [InlineData("1.2.3")]
    [InlineData("0x10")]
    [InlineData(".inf")]
    [InlineData("NaN")]
    [InlineData("١٢")]
    [InlineData("11111111111111111111111111111111111111111111111111111111111111111")]
    public void What_is_no_number_is_not_taken_for_one(string text) => Assert.False(Quantity.TryParse(text, out _));

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("1.5")]
    [InlineData("0.0001k")]
    [InlineData("1e-1")]
    public void What_is_not_whole_or_too_large_is_no_whole_number(string text)
    {
        Assert.True(Quantity.TryParse(text, out var quantity));
        Assert.False(quantity.TryWhole(out _));
    }

    [Theory]
    [InlineData("1e400")]
    [InlineData("1e-400")]
    public void What_a_double_cannot_hold_is_refused(string text)
    {
        Assert.True(Quantity.TryParse(text, out var quantity));
        Assert.False(quantity.TryDouble(out _));
    }

    [Fact]
    public void Every_double_is_read_as_it_was_written() => Gen.Double.Where(double.IsFinite).Sample(number =>
        Quantity.TryParse(number.ToString("R", CultureInfo.InvariantCulture), out var quantity) && quantity.TryDouble(out double read) && read == number);

    [Theory]
    [InlineData("30s", 30)]
    [InlineData("10m", 600)]
    [InlineData("1.5h", 5400)]
    [InlineData("1d", 86_400)]
    [InlineData("0.001s", 0.001)]
    public void A_duration_is_a_number_and_a_unit(string text, double seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("1e3s")]
    [InlineData("400d")]
    [InlineData("10 m")]
    [InlineData("10min")]
    [InlineData("99999999999999999999999999d")]
    public void What_is_no_duration_is_not_taken_for_one(string text) => Assert.False(Duration.TryParse(text, out _));

    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(64.0, "64")]
    [InlineData(1_048_576.0, "1048576")]
    [InlineData(100e6, "100M")]
    [InlineData(1e12, "1000B")]
    [InlineData(1e15, "1e15")]
    [InlineData(1.5e18, "1.5e18")]
    [InlineData(-0.25, "-0.25")]
    [InlineData(1e-6, "1e-6")]
    [InlineData(0.001, "0.001")]
    public void A_bound_is_told_in_few_letters(double bound, string told) => Assert.Equal(told, SettingSchema.Shown(bound));
}
