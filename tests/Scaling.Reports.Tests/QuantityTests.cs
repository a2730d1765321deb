// Numbers read as a person writes them.

namespace Scaling.Reports.Tests;

public class QuantityTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(999, "999")]
    [InlineData(999.96, "1k")]
    [InlineData(16384, "16.4k")]
    [InlineData(999_950, "1M")]
    [InlineData(973_078_528, "973M")]
    [InlineData(2.8186e9, "2.82B")]
    [InlineData(1.5e13, "15T")]
    [InlineData(-2500, "-2.5k")]
    public void A_count_has_three_digits_and_a_decimal_prefix(double value, string text) => Assert.Equal(text, Quantity.Count(value));

    [Theory]
    [InlineData(0.0821, 3, "0.0821")]
    [InlineData(0.082149, 3, "0.0821")]
    [InlineData(1.0028436665516713, 6, "1.00284")]
    [InlineData(123456, 3, "123000")]
    [InlineData(5, 4, "5")]
    [InlineData(4.968e-9, 3, "4.97e-9")]
    [InlineData(0, 3, "0")]
    public void Digits_are_significant_ones(double value, int digits, string text) => Assert.Equal(text, Quantity.Digits(value, digits));

    [Theory]
    [InlineData(12.34, "12.3 s")]
    [InlineData(0.0421, "42.1 ms")]
    [InlineData(0.00000512, "5.12 µs")]
    [InlineData(0, "0 s")]
    public void A_duration_has_a_unit_that_fits(double seconds, string text) => Assert.Equal(text, Quantity.Duration(seconds));

    [Fact]
    public void A_change_carries_its_sign()
    {
        Assert.Equal("+46.9 %", Quantity.Change(0.469));
        Assert.Equal("−1.5 %", Quantity.Change(-0.015));
        Assert.Equal("−0.0210", Quantity.LossDifference(-0.021));
        Assert.Equal("0.0000", Quantity.LossDifference(0));
        Assert.Equal("−35.5", Quantity.MilliNats(-0.03549));
    }

    [Fact]
    public void What_is_absent_or_not_finite_is_a_dash()
    {
        Assert.All(
            [Quantity.Count(null), Quantity.Count(double.NaN), Quantity.Digits(double.PositiveInfinity), Quantity.Loss(null), Quantity.Change(double.NaN),
                Quantity.Duration(null), Quantity.Duration(double.NaN), Quantity.Interval(1, null)],
            text => Assert.Equal("–", text));
    }

    [Fact]
    public void Text_does_not_follow_the_machines_culture()
    {
        var before = Thread.CurrentThread.CurrentCulture;
        try
        {
            var german = (System.Globalization.CultureInfo)System.Globalization.CultureInfo.InvariantCulture.Clone();
            german.NumberFormat.NumberDecimalSeparator = ",";
            german.NumberFormat.NegativeSign = "~";
            Thread.CurrentThread.CurrentCulture = german;
            Assert.Equal("-2.5k", Quantity.Count(-2500));
            Assert.Equal("2.8030", Quantity.Loss(2.803));
            Assert.Contains(">0.5<", FigureSvg.Draw(new Figure("t", new FigureAxis("x", ""), new FigureAxis("y", ""), [new FigureSeries(null, [new(0, 0), new(1, 1)])])));
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = before;
        }
    }
}
