// Letters against what they mean, on intervals drawn at random.
using CsCheck;
using Scaling.Laws;
using Scaling.Stages.Export;

namespace Scaling.Stages.Tests;

public sealed class SharedLettersTests
{
    [Fact]
    public void Two_intervals_have_a_letter_in_common_exactly_where_they_overlap()
    {
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 20], (low, width) => new Interval(low, low + width)).List[1, 40].Sample(intervals =>
        {
            var letters = SharedLetters.Of(intervals).Select(l => l.Split(", ")).ToList();
            foreach (var (a, i) in intervals.Select((v, i) => (v, i)))
            {
                foreach (var (b, j) in intervals.Select((v, j) => (v, j)))
                {
                    Assert.Equal(a.Low <= b.High && b.Low <= a.High, letters[i].Intersect(letters[j]).Any());
                }
            }

            // As few as can be: every letter holds two intervals that no other letter holds both of, or one that has no other.
            Assert.All(letters.SelectMany(l => l).Distinct(), letter => Assert.Contains(
                letters, l => l.Contains(letter) && letters.Exists(o => o.Contains(letter) && o.Intersect(l).Count() == 1)));
        });
    }

    [Fact]
    public void The_fastest_have_the_first_letters_and_after_z_comes_aa()
    {
        Assert.Equal(["b, c", "a, b", "a", "d"], SharedLetters.Of([new(3, 6), new(5, 8), new(7, 9), new(1, 2), new(3, 4)]).Take(4));
        Assert.Equal("ab", SharedLetters.Of([.. Enumerable.Range(0, 28).Select(i => new Interval(100 - i, 100 - i))])[27]);
        Assert.Empty(SharedLetters.Of([]));
    }
}
