// A piece of work on a thread of its own, so that one that never ends is found out.
using System.Globalization;

namespace Scaling.TestKit.Conformance;

/// <summary>How it went.</summary>
/// <param name="HasEnded">Whether it ended in time; one that did not goes on until the tests end.</param>
/// <param name="Failure">What it threw; null for nothing.</param>
internal sealed record Attempt(bool HasEnded, Exception? Failure)
{
    /// <summary>Does it.</summary>
    /// <param name="work">What to do.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="culture">Whose numbers and dates the thread writes where nobody says otherwise; null for the caller's.</param>
    public static Attempt At(Action work, TimeSpan patience, CultureInfo? culture = null)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            CultureInfo.CurrentCulture = culture ?? CultureInfo.CurrentCulture;
            try
            {
                work();
            }
            catch (Exception e)
            {
                failure = e;
            }
        }) { IsBackground = true, Name = "stage on trial" };
        thread.Start();
        return thread.Join(patience) ? new Attempt(true, failure) : new Attempt(false, null);
    }
}
