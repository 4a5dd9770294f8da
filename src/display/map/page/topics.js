// topics
