// Who may work now: so many at once, or one alone, first come first served.
namespace Scaling.Engine.Executors.Local;

/// <summary>A counted gate. First come, first served, so that one who wants all slots is not passed for ever.</summary>
/// <param name="count">Slots, at least 1.</param>
internal sealed class Slots(int count)
{
    private readonly int _all = count;
    private readonly Queue<(int Wanted, TaskCompletionSource Granted)> _waiting = new();
    private int _free = count;

    /// <summary>Waits for one slot, or for all of them.</summary>
    /// <param name="all">Wants to be alone.</param>
    /// <returns>Gives them back on disposal.</returns>
    public async Task<IDisposable> Take(bool all)
    {
        int wanted = all ? _all : 1;
        TaskCompletionSource? wait = null;
        lock (_waiting)
        {
            if (_waiting.Count == 0 && _free >= wanted)
            {
                _free -= wanted;
            }
            else
            {
                wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Enqueue((wanted, wait));
            }
        }

        if (wait is not null)
        {
            await wait.Task.ConfigureAwait(false);
        }

        return new Taken(this, wanted);
    }

    private void Give(int slots)
    {
        lock (_waiting)
        {
            _free += slots;
            while (_waiting.TryPeek(out var next) && _free >= next.Wanted)
            {
                _free -= next.Wanted;
                _waiting.Dequeue().Granted.SetResult();
            }
        }
    }

    private sealed class Taken(Slots slots, int count) : IDisposable
    {
        private int _held = count;

        public void Dispose() => slots.Give(Interlocked.Exchange(ref _held, 0));
    }
}
