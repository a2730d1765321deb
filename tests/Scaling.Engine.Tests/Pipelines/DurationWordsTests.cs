// Times as people read them.
using Scaling.Engine.Pipelines;

namespace Scaling.Engine.Tests.Pipelines;

public sealed class DurationWordsTests
{
    [Theory]
    [InlineData(0, "0.0 s")]
    [InlineData(4.2, "4.2 s")]
    [InlineData(187, "3 min 07 s")]
    [InlineData(7800, "2 h 10 min")]
    [InlineData(302_400, "3.5 days")]
    public void A_time_is_read_to_two_places(double seconds, string words) => Assert.Equal(words, Duration.InWords(seconds));
}
